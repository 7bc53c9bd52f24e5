//! The clock of the wall is set by an hour, forwards and backwards: nobody is put out by that but whose token has ended.

use std::{convert::Infallible, path::Path, time::Duration};

use grtc_testkit::{Client, Launch, ServerProcess};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::interval;

use crate::tokens::{Keys, connect, join};

/// Shows programs another time of day (Debian's package faketime), and leaves alone the clock by which they wait.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const PEERS: usize = 1_000;
const ROOM: usize = 50;

async fn server(keys: &Keys, clock: &Path) -> anyhow::Result<ServerProcess> {
    let preload = format!("LD_PRELOAD={LIBRARY}");
    let file = format!("FAKETIME_TIMESTAMP_FILE={}", clock.display());
    let under = ["env", &preload, &file, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
    let arguments = ["--auth-secret-file", keys.path(), "--join-rate", "0"];
    ServerProcess::launch(&Launch { under: &under, arguments: &arguments, ..Launch::default() }).await
}

/// Everybody in a room hears what its first one says.
async fn they_talk(peers: &mut [Client], text: &str) -> anyhow::Result<()> {
    for room in peers.chunks_mut(ROOM) {
        room[0].send(json!({"type": "broadcast", "data": text})).await?;
        for peer in &mut room[1..] {
            assert_eq!(peer.skip_to("broadcast_message").await?["data"], text);
        }
    }
    Ok(())
}

/// The same once a second.
async fn they_talk_on(peers: &mut [Client]) -> anyhow::Result<Infallible> {
    let mut ticks = interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        they_talk(peers, "meanwhile").await?;
    }
}

#[tokio::test]
async fn nobody_is_put_out_but_whose_token_has_ended() -> anyhow::Result<()> {
    if !Path::new(LIBRARY).exists() {
        eprintln!("left out: there is no {LIBRARY}");
        return Ok(());
    }
    grtc_load::raise_open_files()?;
    let folder = TempDir::new()?;
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "+0")?;
    let keys = Keys::new().await?;
    let server = server(&keys, &clock).await?;
    let long = keys.token(&["--sub", "long", "--room", "*", "--ttl", "3h"]).await?;
    let short = keys.token(&["--sub", "short", "--room", "*", "--ttl", "30m"]).await?;
    let mut peers = Vec::new();
    for room in 0..PEERS / ROOM {
        for n in 0..ROOM {
            peers.push(join(&server, &format!("room{room}"), &format!("p{n}"), &long).await?);
        }
    }
    let mut ends = join(&server, "room0", "ends", &short).await?;
    they_talk(&mut peers, "before").await?;

    std::fs::write(&clock, "+3600")?;
    // It is looked at every 20 s.
    let closed = tokio::select! { closed = ends.closed() => closed?, never = they_talk_on(&mut peers[..ROOM]) => match never? {} };
    assert_eq!(closed.code, Some(4401), "its token has ended by the clock of the wall");
    they_talk(&mut peers, "an hour later").await?;
    assert_eq!(connect(&server, "room0", "late", &short).await?.closed().await?.code, Some(4401));

    std::fs::write(&clock, "-3600")?;
    they_talk(&mut peers, "two hours before").await?;
    let health = server.http().get("/health/ready").await?;
    assert_eq!(health.status, 200, "{}", health.text());
    std::fs::write(&clock, "+0")?;
    they_talk(&mut peers, "as before").await?;
    drop(join(&server, "room0", "again", &short).await?);
    server.stop().await
}
