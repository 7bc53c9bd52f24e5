//! More connections than there may be, or than the system gives: refused, and taken again once there is room.

use std::time::{Duration, Instant};

use anyhow::Context;
use grtc_server::limits::Limit;
use grtc_testkit::{Client, Launch, Raw, ServerProcess, TestServer};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tokio::time::timeout;

/// Asks until the server takes a connection again.
async fn back(http: grtc_testkit::Http, within: Duration) -> anyhow::Result<()> {
    let since = Instant::now();
    while !http.get("/health").await.is_ok_and(|answer| answer.status == 200) {
        assert!(since.elapsed() < within, "not back after {within:?}");
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test]
async fn one_too_many_is_told_to_come_back() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.limits[Limit::Connections] = 3).await?;
    let mut peers: Vec<Client> = Vec::new();
    for id in ["a", "b", "c"] {
        peers.push(server.join("room1", id).await?);
    }
    for _ in 0..50 {
        let mut raw = Raw::connect(server.address()).await?;
        // The refusal does not wait for the request.
        let _ = raw.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let answer = raw.answer().await?;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
        assert_eq!(answer.json()?["code"], "overloaded");
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(raw.ended(Duration::from_secs(5)).await?, "");
    }
    assert_eq!(server.http().get("/health").await?.status, 503);
    let refusal = server.connect("room1", "d").await.unwrap_err();
    assert_eq!(refusal.status, Some(503), "{refusal}");
    peers.pop();
    back(server.http(), Duration::from_secs(5)).await?;
    server.stop().await
}

/// A server that is busy for a moment, or asleep, as when all clients come back in one.
#[tokio::test]
async fn thousands_may_wait_to_be_accepted() -> anyhow::Result<()> {
    const WAITING: usize = 3_000;
    let most: usize = std::fs::read_to_string("/proc/sys/net/core/somaxconn")?.trim().parse()?;
    if most <= WAITING {
        eprintln!("skipped: net.core.somaxconn is {most}");
        return Ok(());
    }
    grtc_load::raise_open_files()?;
    let server = ServerProcess::launch(&Launch::default()).await?;
    let signal = |signal| kill(Pid::from_raw(server.pid().try_into().unwrap_or_default()), signal);
    signal(Signal::SIGSTOP)?;
    let mut crowd = Vec::new();
    for n in 0..WAITING {
        let connected = timeout(Duration::from_millis(900), Raw::connect(server.address())).await;
        let mut waiting = connected.with_context(|| format!("{n} wait, and no more can"))??;
        waiting.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        crowd.push(waiting);
    }
    signal(Signal::SIGCONT)?;
    for waiting in &mut crowd {
        assert_eq!(waiting.answer().await?.status, 200);
    }
    server.stop().await
}

#[tokio::test]
async fn no_file_descriptor_is_left_and_then_there_is() -> anyhow::Result<()> {
    let under = ["prlimit", "--nofile=64"];
    let server = match ServerProcess::launch(&Launch { under: &under, ..Launch::default() }).await {
        Err(error) if format!("{error:#}").contains("can't start prlimit") => {
            eprintln!("skipped: prlimit is not there");
            return Ok(());
        }
        started => started?,
    };
    let mut a = server.join("room1", "a").await?;
    let mut b = server.join("room1", "b").await?;
    a.expect("peer_joined").await?;
    let mut crowd = Vec::new();
    for _ in 0..150 {
        crowd.push(Raw::connect(server.address()).await?);
    }
    a.send(json!({"type": "broadcast", "data": 1})).await?;
    assert_eq!(b.expect("broadcast_message").await?["data"], 1, "who is in notices nothing");
    drop(crowd);
    back(server.http(), Duration::from_secs(5)).await?;
    assert_eq!(server.http().post("/api/items/", &json!({"title": "t"})).await?.status, 201);
    server.stop().await
}

#[tokio::test]
async fn the_limit_of_open_files_is_raised_or_what_is_missing_is_said() -> anyhow::Result<()> {
    for (limits, soft, said) in [
        ("--nofile=256:4096", 1_064, "the limit of open files was raised"),
        ("--nofile=256:512", 512, "LimitNOFILE"),
        ("--nofile=4096:4096", 4_096, ""),
    ] {
        let (under, arguments) = (["prlimit", limits], ["--max-connections", "1000"]);
        let launch = Launch { under: &under, arguments: &arguments, ..Launch::default() };
        let server = ServerProcess::launch(&launch).await?;
        let all = std::fs::read_to_string(format!("/proc/{}/limits", server.pid()))?;
        let line = all.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
        assert_eq!(line.split_whitespace().nth(3), Some(soft.to_string().as_str()), "{limits}: {line}");
        let log = server.log();
        assert!(log.contains(said), "{limits}: {log}");
        assert_eq!(log.contains("--max-connections 1000"), said == "LimitNOFILE", "{limits}: {log}");
        server.stop().await?;
    }
    Ok(())
}
