//! `--webhook-url` and `--webhook-secret-file`: what can't be is said, whom the server believes, what it tells nobody, and the
//! receiver of the documentation.

use std::process::Stdio;

use grtc_load::process::START;
use grtc_testkit::{
    Authority, Http, Launch, Receiver, ServerProcess,
    command::run_to_end,
    metrics::{Scraped, free_address},
    tls::text,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{sleep, timeout},
};

use crate::{
    common::job_in,
    hook::{Hook, process},
};

#[tokio::test]
async fn over_tls_the_systems_authorities_are_believed() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let mut receiver = Receiver::start_securely(&authority).await?;
    let hook = Hook::new(&format!("https://localhost:{}/hook", receiver.address().port()))?;
    let (options, other, ca) = (hook.options(), Authority::new()?, authority.ca());
    let (ca, other) = (text(&ca).to_owned(), text(&other.ca()).to_owned());
    let environment = [("SSL_CERT_FILE", other.as_str()), ("SSL_CERT_DIR", "/nonexistent")];
    let launch = Launch { arguments: &options, environment: &environment, ..Launch::default() };
    let server = ServerProcess::launch(&launch).await?;
    server.http().post("/api/items/", &json!({"title": "first"})).await?;
    process(server.http(), 1).await?;
    let line = server.line(&["a job was not delivered"]).await?;
    assert!(line.contains("can't be reached: invalid peer certificate"), "{line}");
    let directory = server.kill().await?;
    let environment = [("SSL_CERT_FILE", ca.as_str()), ("SSL_CERT_DIR", "/nonexistent")];
    let launch = Launch { arguments: &options, environment: &environment, ..Launch::default() };
    let server = ServerProcess::start_in(directory, &launch).await?;
    receiver.next().await?.answer(204, &[])?;
    job_in(server.http(), 1, "done").await?;
    server.stop().await
}

#[tokio::test]
async fn nothing_secret_is_told() -> anyhow::Result<()> {
    let mut receiver = Receiver::start().await?;
    let metrics = free_address()?;
    let url = format!("http://ann:canary-password@{}/canary-path?token=canary-query", receiver.address());
    let hook = Hook::new(&url)?;
    let listen = metrics.to_string();
    let options = [&hook.options()[..], &["--metrics-listen", &listen]].concat();
    // Nothing is to go by way of these proxies, which are none.
    let nobody = "http://127.0.0.1:1";
    let environment = [("RUST_LOG", "trace"), ("HTTP_PROXY", nobody), ("http_proxy", nobody), ("ALL_PROXY", nobody)];
    let launch = Launch { arguments: &options, environment: &environment, ..Launch::default() };
    let server = ServerProcess::launch(&launch).await?;
    server.http().post("/api/items/", &json!({"title": "canary-title"})).await?;
    process(server.http(), 1).await?;
    drop(receiver.next().await?);
    receiver.next().await?.answer(307, &[("location", &url)])?;
    let third = receiver.next().await?;
    assert_eq!(third.header("authorization"), Some("Basic YW5uOmNhbmFyeS1wYXNzd29yZA=="));
    third.answer(204, &[])?;
    let job = job_in(server.http(), 1, "done").await?;
    assert!(!job.to_string().contains("canary"), "{job}");
    let scraped = Scraped::of(metrics).await?;
    for (result, count) in [("delivered", 1.0), ("refused", 1.0), ("no_answer", 1.0), ("timed_out", 0.0)] {
        assert_eq!(scraped.value(&format!("grtc_webhook_deliveries_total{{result=\"{result}\"}}"))?, count);
    }
    server.line(&["a job was not delivered", "307 Temporary Redirect", "\"job.id\":1", "\"job.attempt\":2"]).await?;
    let log = server.log();
    let found: Vec<_> = log.lines().filter(|line| line.contains("canary") || line.contains("YW5uOm")).collect();
    assert!(found.is_empty(), "{found:#?}");
    server.stop().await
}

#[tokio::test]
async fn what_can_not_be_delivered_to_is_said_at_the_start() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).map(|()| text(&path).to_owned())
    };
    let good = file("good", &"s".repeat(32))?;
    let (short, none) = (file("short", &format!("{}\n", "s".repeat(31)))?, file("none", "\n")?);
    let pem =
        file("pem", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n")?;
    let url = "https://ann:canary@hooks.example.org/canary?canary";
    for (options, words) in [
        (&["--webhook-url", url][..], &["--webhook-secret-file", "token key"][..]),
        (&["--webhook-secret-file", &good], &["--webhook-url", "go together"]),
        (&["--webhook-url", url, "--webhook-secret-file", "/nowhere"], &["/nowhere", "can't be read"]),
        (&["--webhook-url", url, "--webhook-secret-file", &short], &["short", "31 bytes", "32 at least"]),
        (&["--webhook-url", url, "--webhook-secret-file", &none], &["none", "0 bytes"]),
        (&["--webhook-url", url, "--webhook-secret-file", &pem], &["pem", "no secret"]),
        (&["--webhook-url", "canary.example/x", "--webhook-secret-file", &good], &["https://hooks.example.org/grtc"]),
        (&["--webhook-url", "ftp://canary.example/x", "--webhook-secret-file", &good], &["neither http:// nor https"]),
        (&["--webhook-url", "http://canary:port/", "--webhook-secret-file", &good], &["invalid port number"]),
    ] {
        let ended = run_to_end(&[&["check-config"], options].concat(), &[]).await?;
        assert_eq!(ended.code, Some(1), "{options:?}: {ended:?}");
        assert!(words.iter().all(|word| ended.stderr.contains(word)), "{options:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    }
    let environment = [("GRTC_WEBHOOK_URL", url), ("GRTC_WEBHOOK_SECRET_FILE", good.as_str())];
    let checked = run_to_end(&["check-config"], &environment).await?;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let printed = run_to_end(&["print-config"], &environment).await?.stdout;
    assert!(printed.contains(&format!("webhook_url = \"{url}\"")), "it is a file that is read again: {printed}");
    let config = file("grtc.toml", &printed)?;
    for (arguments, environment) in
        [(&["--help"][..], &environment[..]), (&["serve", "--config", &config, "--help"], &[][..])]
    {
        let help = run_to_end(arguments, environment).await?;
        assert!(help.stdout.contains("--webhook-url") && !help.stdout.contains("canary"), "{}", help.stdout);
    }
    Ok(())
}

/// A block of `docs/OPERATIONS.md` under the heading of the webhook.
fn documented(language: &str) -> anyhow::Result<String> {
    let operations = include_str!("../../../docs/OPERATIONS.md").replace("\r\n", "\n");
    let section = operations.split("\n## ").find(|section| section.starts_with("Webhook\n"));
    let block =
        section.and_then(|section| Some(section.split_once(&format!("```{language}\n"))?.1.split_once("```")?.0));
    Ok(block.ok_or_else(|| anyhow::anyhow!("no block in {language}"))?.to_owned())
}

/// The receiver of the documentation, with another port, and its commands for what has failed.
#[tokio::test]
async fn the_documented_receiver_and_commands_do_what_they_say() -> anyhow::Result<()> {
    let address = free_address()?;
    let hook = Hook::new(&format!("http://{address}/"))?;
    let server = hook.server().await?;
    let http = server.http();
    for title in ["one", "two", "three"] {
        http.post("/api/items/", &json!({"title": title})).await?;
        process(http, 1).await?;
    }
    // Nobody is there: the item goes, and what is left of its jobs fails.
    server.line(&["a job was not delivered", "can't be reached"]).await?;
    http.delete("/api/items/1").await?;
    for job in 1..=3 {
        job_in(http, job, "failed").await?;
    }
    let commands = documented("sh")?.replace("http://127.0.0.1:8001", &format!("http://{}", server.address()));
    let ran = Command::new("sh").args(["-ec", &commands]).output().await?;
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(said.matches("item 1 was deleted").count(), 3, "it lists them: {said}");
    // One is tried again, then each that has failed: that one too, if it has by then.
    assert!((3..=4).contains(&said.matches("\"state\":\"queued\"").count()), "{said}");

    let script = hook.folder.path().join("receiver.py");
    std::fs::write(&script, documented("python")?.replace("8900", &address.port().to_string()))?;
    let mut receiver = Command::new("python3");
    receiver.arg("-u").arg(&script).current_dir(hook.folder.path()).kill_on_drop(true);
    let mut receiver = receiver.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let listening = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(START, listening).await?;
    process(http, 2).await?;
    job_in(http, 4, "done").await?;
    // What is not signed is not taken.
    let forged = Http::new(address).post("/", &json!({"item": {"title": "forged"}})).await?;
    assert_eq!(forged.status, 403);
    receiver.kill().await?;
    let mut printed = String::new();
    if let Some(mut stdout) = receiver.stdout.take() {
        tokio::io::AsyncReadExt::read_to_string(&mut stdout, &mut printed).await?;
    }
    assert_eq!(printed, "4 two\n");
    server.stop().await
}
