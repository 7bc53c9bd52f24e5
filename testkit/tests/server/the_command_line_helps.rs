//! Flags, environment and file; what can't be run says why; and the commands beside `serve`.

use grtc_testkit::{Launch, ServerProcess, command::run_to_end};
use tempfile::TempDir;

#[tokio::test]
async fn a_flag_wins_over_the_environment_and_that_over_the_file() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let file = directory.path().join("grtc.toml");
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:1111\"\nmessage_rate = 1\nmax_connections = 1\nallow_origin = [\"http://a.example\"]\n",
    )?;
    let file = file.to_str().unwrap();
    let environment = [("GRTC_LISTEN", "127.0.0.1:2222"), ("GRTC_MESSAGE_RATE", "2")];
    for (arguments, environment) in [
        (vec!["print-config", "--config", file, "--listen", "127.0.0.1:3333"], environment.to_vec()),
        (vec!["print-config", "--listen", "127.0.0.1:3333"], [&environment[..], &[("GRTC_CONFIG", file)]].concat()),
    ] {
        let printed = run_to_end(&arguments, &environment).await?;
        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
        for line in [
            "listen = \"127.0.0.1:3333\"",
            "message_rate = 2",
            "max_connections = 1",
            "allow_origin = [\"http://a.example\"]",
        ] {
            assert!(printed.stdout.lines().any(|found| found == line), "{line} in\n{}", printed.stdout);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_printed_can_be_read_again() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let file = directory.path().join("grtc.toml");
    let options = [
        "print-config",
        "--listen",
        "0.0.0.0:9",
        "--insecure-open",
        "--base-path",
        "/grtc",
        "--allow-origin",
        "https://a.example,http://b.example:8",
        "--ice-server",
        "stun:s.example:1",
        "--message-rate",
        "0",
        "--workers",
        "1",
        "--log-format",
        "json",
        "--database-url",
        "sqlite::memory:",
        "--acme-domain",
        "a.example,b.example",
        "--acme-cache",
        "cache",
        "--redirect-listen",
        "127.0.0.1:80",
    ];
    let printed = run_to_end(&options, &[]).await?;
    std::fs::write(&file, &printed.stdout)?;
    let file = file.to_str().unwrap();
    let again = run_to_end(&["print-config", "--config", file], &[]).await?;
    assert_eq!((again.code, &again.stdout), (Some(0), &printed.stdout), "{}", again.stderr);
    let checked = run_to_end(&["check-config", "--config", file], &[]).await?;
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_run_says_why() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let file = directory.path().join("bad.toml");
    std::fs::write(&file, "lisen = 1\n")?;
    let file = file.to_str().unwrap();
    for (options, words) in [
        (&["--listen", "0.0.0.0:0"][..], &["0.0.0.0:0", "--insecure-open"][..]),
        (&["--listen", "[::]:0"], &["--insecure-open"]),
        (&["--database-url", "postgres://localhost/x"], &["--database-url", "sqlite://"]),
        (&["--web-dir", "/nowhere"], &["--web-dir", "/nowhere", "index.html"]),
        (&["--ice-server", "http://x"], &["--ice-server", "stun:"]),
        (&["--ice-server", "turn:x"], &["--ice-server", "turn:x", "credentials"]),
        (&["--config", file], &["bad.toml", "lisen", "print-config"]),
        (&["--config", "/nowhere.toml"], &["/nowhere.toml"]),
    ] {
        for command in [&["serve"][..], &["check-config"], &[]] {
            let ended = run_to_end(&[command, options].concat(), &[]).await?;
            assert!(ended.code.is_some_and(|code| code != 0), "{command:?} {options:?}: {ended:?}");
            assert!(words.iter().all(|word| ended.stderr.contains(word)), "{options:?}: {}", ended.stderr);
        }
    }
    for options in
        [&["--listen", "here"][..], &["--allow-origin", "example.org"], &["--nonsense"], &["--message-rate", "x"]]
    {
        let ended = run_to_end(options, &[]).await?;
        assert!(ended.code == Some(2) && ended.stderr.contains(options[0]), "{options:?}: {ended:?}");
    }
    for (options, words) in [
        (&["--listen", ":8001"][..], &["127.0.0.1", "0.0.0.0", "127.0.0.1:8001"][..]),
        (&["--listen", "localhost:8001"], &["in numbers", "127.0.0.1:8001"]),
        (&["--base-path", "grtc"], &["/grtc"]),
        (&["--allow-origin", "example.org"], &["https://app.example.org"]),
    ] {
        let ended = run_to_end(options, &[]).await?;
        assert!(
            ended.code == Some(2) && words.iter().all(|word| ended.stderr.contains(word)),
            "{options:?}: {ended:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_is_named() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let address = server.address().to_string();
    let ended = run_to_end(&["--listen", &address, "--database-url", "sqlite::memory:"], &[]).await?;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&address) && ended.stderr.contains("--listen"), "{}", ended.stderr);
    server.stop().await
}

#[tokio::test]
async fn health_asks_a_running_server() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let url = format!("http://{}/health/ready", server.address());
    assert_eq!(run_to_end(&["health", "--url", &url], &[]).await?.code, Some(0));
    let missing = run_to_end(&["health", "--url", &format!("http://{}/none", server.address())], &[]).await?;
    assert!(missing.code == Some(1) && missing.stderr.contains("404"), "{missing:?}");
    let address = server.address();
    server.stop().await?;
    let gone = run_to_end(&["health", "--url", &url], &[]).await?;
    assert!(gone.code == Some(1) && gone.stderr.contains(&address.to_string()), "{gone:?}");
    for url in ["ftp://x", "nonsense", "https://127.0.0.1:1/"] {
        assert_eq!(run_to_end(&["health", "--url", url], &[]).await?.code, Some(1), "{url}");
    }
    Ok(())
}

#[tokio::test]
async fn every_command_has_help() -> anyhow::Result<()> {
    let options = [
        "--listen",
        "--database-url",
        "--base-path",
        "--allow-origin",
        "--insecure-open",
        "--ice-server",
        "--message-rate",
        "--resume-grace",
        "--max-connections",
        "--tls-cert",
        "--tls-key",
        "--acme-domain",
        "--acme-contact",
        "--acme-cache",
        "--acme-directory",
        "--acme-ca",
        "--redirect-listen",
        "--webhook-url",
        "--webhook-secret-file",
        "--web-dir",
        "--log-format",
    ];
    for command in [&[][..], &["serve"], &["check-config"], &["print-config"], &["health"], &["completions"]] {
        let help = run_to_end(&[command, &["--help"]].concat(), &[]).await?;
        assert!(help.code == Some(0) && help.stdout.contains("Usage:"), "{command:?}: {help:?}");
        if command.first().is_none_or(|command| *command != "health" && *command != "completions") {
            assert!(options.iter().all(|option| help.stdout.contains(option)), "{command:?}: {}", help.stdout);
            assert!(help.stdout.contains("GRTC_LISTEN"));
            let words = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains("grtc-peer reads a variable of the same name"), "{words}");
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(run_to_end(&["completions", shell], &[]).await?.stdout.contains("grtc-server"));
    }
    assert!(run_to_end(&["--version"], &[]).await?.stdout.starts_with("grtc-server "));
    Ok(())
}

#[tokio::test]
async fn a_variable_that_is_empty_says_nothing() -> anyhow::Result<()> {
    let mut names = std::collections::BTreeSet::new();
    for command in [&["--help"][..], &["health", "--help"], &["backup", "--help"], &["token", "create", "--help"]] {
        let help = run_to_end(command, &[]).await?.stdout;
        let variables =
            help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next().map(str::to_owned));
        names.extend(variables);
    }
    assert!(names.len() > 40 && names.contains("GRTC_CA") && names.contains("GRTC_OTLP_ENDPOINT"), "{names:?}");
    let empty: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    // Nobody is there; that it can ask is what counts.
    let health = run_to_end(&["health", "--url", "http://127.0.0.1:1/"], &empty).await?;
    assert_eq!(health.code, Some(1), "{health:?}");
    let ended = run_to_end(&["print-config"], &empty).await?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("listen = \"127.0.0.1:8001\"") && ended.stdout.contains("message_rate = 2000"));
    assert!(ended.stdout.contains("resume_grace = \"120s\""), "{}", ended.stdout);
    let ended = run_to_end(&["check-config", "--listen", "0.0.0.0:0"], &[("GRTC_INSECURE_OPEN", "1")]).await?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Ok(())
}

/// As in `grtc-server print-config | true`, and with a stderr that is closed.
#[tokio::test]
async fn an_output_that_nobody_reads_is_no_panic() -> anyhow::Result<()> {
    let closed = || anyhow::Ok(std::process::Stdio::from(std::io::pipe()?.1));
    for (arguments, code) in [
        (&["print-config"][..], 0),
        (&["completions", "bash"], 0),
        (&["--help"], 0),
        (&["--no-such-option"], 2),
        (&["check-config", "--database-url", "x:"], 1),
        (&["health", "--url", "http://127.0.0.1:1/"], 1),
        (&["--listen", "192.0.2.1:1", "--insecure-open"], 1),
    ] {
        let mut command = tokio::process::Command::new(grtc_load::process::binary(grtc_load::process::SERVER)?);
        let status = command.args(arguments).stdout(closed()?).stderr(closed()?).status().await?;
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_is_made_once() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let path = directory.path().join("key");
    let make = async |options: &[&str]| {
        run_to_end(&[&["token", "key", "--out", path.to_str().unwrap()], options].concat(), &[]).await
    };
    assert_eq!(make(&["--if-missing"]).await?.code, Some(0));
    let key = std::fs::read(&path)?;
    assert_eq!(make(&["--if-missing"]).await?.code, Some(0));
    let refused = make(&[]).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("File exists"), "{refused:?}");
    assert_eq!(std::fs::read(&path)?, key);
    // What is there has to be a key: a server that starts after this one would only say so later.
    std::fs::write(&path, "half")?;
    let refused = make(&["--if-missing"]).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("it has 4 bytes"), "{refused:?}");
    Ok(())
}
