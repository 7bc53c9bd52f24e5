//! `grtc-peer` where a token is needed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, ensure};
use grtc_load::process::{bare, binary, empty_directory};
use grtc_testkit::{Http, PeerProcess, Proxy, TestServer};
use serde_json::json;
use tempfile::TempDir;

/// A server with a key, and what makes tokens for it.
struct Guarded {
    server: TestServer,
    directory: TempDir,
}

impl Guarded {
    async fn start() -> anyhow::Result<Self> {
        let directory = empty_directory()?;
        let key = directory.path().join("key");
        fs::write(&key, "a secret of more than thirty-two bytes")?;
        let server = TestServer::start_with(|config| config.auth.auth_secret_file = Some(key)).await?;
        Ok(Self { server, directory })
    }

    /// A token for this room, from `grtc-server token create`.
    async fn token(&self, room: &str, ttl: &str) -> anyhow::Result<String> {
        let mut command = bare(binary("grtc-server")?);
        command.args(["token", "create", "--sub", "ann", "--room", room, "--ttl", ttl, "--key"]);
        let output = command.arg(self.directory.path().join("key")).output().await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// The same in a file.
    async fn file(&self, name: &str, room: &str, ttl: &str) -> anyhow::Result<PathBuf> {
        let path = self.directory.path().join(name);
        fs::write(&path, self.token(room, ttl).await?)?;
        Ok(path)
    }

    fn join(&self, id: &str, arguments: &[&str]) -> PeerProcess {
        PeerProcess::join(&self.server, "r", id, &[&["--json"], arguments].concat())
    }

    fn with_file(&self, id: &str, file: &Path, arguments: &[&str]) -> anyhow::Result<PeerProcess> {
        let file = file.to_str().context("a path without UTF-8")?;
        Ok(self.join(id, &[&["--token-file", file], arguments].concat()))
    }
}

#[tokio::test]
async fn who_has_no_good_token_is_10_and_told_what_to_do() -> anyhow::Result<()> {
    let guarded = Guarded::start().await?;
    let other_room = guarded.file("other", "q", "1h").await?;
    let forged = guarded.directory.path().join("forged");
    fs::write(&forged, "a.b.c")?;
    for (peer, code, advice) in [
        (guarded.join("A", &[]), "not_authenticated", "--token-file"),
        (guarded.with_file("A", &forged, &[])?, "not_authenticated", "a newer token"),
        (guarded.with_file("A", &other_room, &[])?, "not_allowed", "allows this room"),
    ] {
        let ended = peer.end().await;
        let error = &ended.events()[0];
        assert_eq!((ended.code, &error["code"]), (Some(10), &json!(code)), "{:?}", ended.lines);
        assert!(error["message"].as_str().is_some_and(|message| message.contains(advice)), "{error}");
    }
    let nowhere = guarded.with_file("A", Path::new("/nowhere/token"), &[])?.end().await;
    assert_eq!((nowhere.code, &nowhere.events()[0]["code"]), (Some(70), &json!("token_file")), "{:?}", nowhere.lines);
    Ok(())
}

#[tokio::test]
async fn a_token_comes_from_a_file_stdin_or_the_environment_and_is_printed_nowhere() -> anyhow::Result<()> {
    let guarded = Guarded::start().await?;
    let (file, token) = (guarded.file("token", "r", "1h").await?, guarded.token("r", "1h").await?);
    let status = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let options = ["--status", &status.to_string(), "--log-level", "debug"];
    let mut a = guarded.with_file("A", &file, &options)?;
    a.event("joined").await;

    // The first line of stdin; those after it are messages.
    let mut b = guarded.join("B", &["--token-file", "-", "--log-level", "debug"]);
    b.type_line(&token).await;
    b.type_line("hello").await;
    assert_eq!(a.event("message").await["text"], "hello");

    let mut c = bare(binary("grtc-peer")?);
    let url = guarded.server.url("");
    c.args(["join", "r", "--id", "C", "--server", &url, "--json", "--send", "x", "--log-level", "trace"]);
    c.env("GRTC_TOKEN", &token).stdin(Stdio::null()).stderr(Stdio::piped());
    let c = PeerProcess::of(c).end().await;
    assert_eq!(c.code, Some(0), "{:?}", c.lines);

    let mut seen = Http::new(status).get("/status.json").await?.text();
    for peer in [&a, &b] {
        seen += &String::from_utf8_lossy(&fs::read(format!("/proc/{}/cmdline", peer.pid()))?);
        peer.interrupt();
    }
    for ended in [a.end().await, b.end().await, c] {
        assert!(ended.stderr.contains("rtc"), "it logs");
        seen += &ended.lines.concat();
        seen += &ended.stderr;
    }
    for secret in [fs::read_to_string(&file)?, token] {
        for part in secret.trim().split('.').skip(1) {
            assert!(!seen.contains(part), "a part of a token is seen");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_newer_token_in_the_file_keeps_the_peer_in_its_room() -> anyhow::Result<()> {
    let guarded = Guarded::start().await?;
    let newer = guarded.token("r", "1h").await?;
    let (file, old) = (guarded.file("token", "r", "8s").await?, guarded.file("old", "r", "8s").await?);
    let proxy = Proxy::start(guarded.server.address()).await?;
    let (url, name) = (proxy.url(), file.to_str().context("a path without UTF-8")?);
    let join = ["join", "r", "--id", "A", "--server", &url, "--token-file", name, "--json"];
    let mut stays = PeerProcess::start(&join);
    let ends = guarded.with_file("B", &old, &[])?;
    stays.event("joined").await;
    fs::write(&file, newer)?;
    let ends = ends.end().await;
    assert_eq!(ends.code, Some(10), "{:?}", ends.lines);
    let ended = ends.events().into_iter().find(|event| event["event"] == "error").context("no error")?;
    assert!(ended["message"].as_str().is_some_and(|message| message.contains("a newer token")), "{ended}");

    // Its own first token has ended by now; what the server has said to the newer one is counted as a frame.
    proxy.cut();
    proxy.lead_to(guarded.server.address());
    let lost = stays.event("reconnecting").await;
    assert!(!lost["why"].as_str().is_some_and(|why| why.contains("token")), "{lost}");
    assert_eq!(stays.event("joined").await["recovered"], true);
    Ok(())
}
