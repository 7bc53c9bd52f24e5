//! A log that nobody reads, or can read any more, holds nothing up; lines that are lost are counted.

use grtc_testkit::{Launch, ServerProcess};
use nix::{sys::stat::Mode, unistd::mkfifo};
use serde_json::json;

/// Their lines are more than a pipe and the server's own queue hold.
const REQUESTS: usize = 3_000;

/// A server whose stderr is read up to the line that says where it listens, and then as `reader` has it.
async fn server(reader: &str) -> anyhow::Result<ServerProcess> {
    let script = format!("exec \"$0\" \"$@\" 2> >(grep -m1 server.address >&2; {reader})");
    let under = ["bash", "-c", &script];
    let launch = Launch { environment: &[("RUST_LOG", "trace")], under: &under, ..Launch::default() };
    ServerProcess::launch(&launch).await
}

async fn works(server: &ServerProcess) -> anyhow::Result<()> {
    let mut a = server.join("room1", "a").await?;
    for _ in 0..REQUESTS {
        assert_eq!(server.http().get("/api/items/?limit=x").await?.status, 422);
    }
    assert_eq!(server.http().post("/api/items/", &json!({"title": "t"})).await?.status, 201);
    a.send(json!({"type": "ping"})).await?;
    a.expect("pong").await?;
    assert_eq!(a.leave().await?.code, Some(1000));
    Ok(())
}

#[tokio::test]
async fn its_reader_is_gone() -> anyhow::Result<()> {
    let server = server("true").await?;
    works(&server).await?;
    server.stop().await
}

#[tokio::test]
async fn its_reader_is_asleep() -> anyhow::Result<()> {
    let server = server("exec sleep 60").await?;
    works(&server).await?;
    server.stop().await
}

#[tokio::test]
async fn its_reader_wakes_up() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let bed = folder.path().join("bed");
    mkfifo(&bed, Mode::S_IRWXU)?;
    let server = server(&format!("read -r < {}; exec cat >&2", bed.display())).await?;
    works(&server).await?;
    assert!(!server.log().contains("log.lost"));
    tokio::fs::write(&bed, "\n").await?;
    server.line(&["log.lost"]).await?;
    server.stop().await
}
