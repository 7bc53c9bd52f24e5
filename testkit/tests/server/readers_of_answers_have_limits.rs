//! Clients that ask for much and read nothing: the server's memory does not grow with them. That they are let go after a
//! while is shown in virtual time, beside `http/serve.rs`.

use std::time::{Duration, Instant};

use grtc_testkit::{Launch, Raw, ServerProcess};
use serde_json::json;

const ASK: &str = "GET /api/items/?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Ten megabytes in a list.
async fn filled(launch: &Launch<'_>) -> anyhow::Result<ServerProcess> {
    let server = ServerProcess::launch(launch).await?;
    let items: Vec<_> = (0..90).map(|n| json!({"title": n.to_string(), "description": "x".repeat(10_000)})).collect();
    for _ in 0..12 {
        assert_eq!(server.http().post("/api/items/bulk", &json!(items)).await?.status, 201);
    }
    Ok(server)
}

/// The memory of a process, in bytes.
fn memory(pid: u32) -> anyhow::Result<usize> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm"))?;
    Ok(statm.split(' ').nth(1).unwrap_or_default().parse::<usize>()? * 4096)
}

async fn crowd(server: &ServerProcess, clients: usize) -> anyhow::Result<Vec<Raw>> {
    let mut crowd = Vec::new();
    for _ in 0..clients {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(ASK).await?;
        crowd.push(raw);
    }
    Ok(crowd)
}

#[tokio::test]
async fn who_does_not_read_a_long_list_costs_little() -> anyhow::Result<()> {
    let server = filled(&Launch::default()).await?;
    let before = memory(server.pid())?;
    let crowd = crowd(&server, 40).await?;
    // The others are served.
    for _ in 0..3 {
        let answer = server.http().get("/api/items/?limit=1000").await?;
        assert_eq!((answer.status, answer.json()?.as_array().map(Vec::len)), (200, Some(1_000)));
    }
    let grown = memory(server.pid())?.saturating_sub(before);
    assert!(grown < 120 << 20, "{grown} bytes for 40 clients that don't read");
    drop(crowd);
    server.stop().await
}

#[tokio::test]
async fn with_little_memory_they_are_refused_and_the_process_lives() -> anyhow::Result<()> {
    let server = filled(&Launch::default()).await?;
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", server.pid()))?;
    let size = statm.split(' ').next().unwrap_or_default().parse::<usize>()? * 4096;
    let limit = format!("--as={}", size + (48 << 20));
    let directory = server.kill().await?;
    let under = ["prlimit", &limit];
    let database = directory.path().join("grtc.db");
    let launch = Launch { under: &under, database: Some(&database), ..Launch::default() };
    let server = ServerProcess::launch(&launch).await?;
    let mut crowd = crowd(&server, 16).await?;
    for _ in 0..10 {
        let answer = server.http().get("/api/items/?limit=1000").await;
        assert!(answer.is_ok_and(|answer| matches!(answer.status, 200 | 503)));
    }
    let refused = loop {
        let answer = server.http().get("/rooms").await?;
        if answer.status != 200 {
            break answer;
        }
        assert!(crowd.len() < 100, "nobody is refused");
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(ASK).await?;
        crowd.push(raw);
    };
    assert_eq!((refused.status, &refused.json()?["code"]), (503, &json!("overloaded")));
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(server.http().get("/health").await?.status, 200, "{}", server.log());
    assert!(server.log().contains("hold all the memory for answers"), "{}", server.log());
    drop(crowd);
    let since = Instant::now();
    while server.http().get("/rooms").await?.status != 200 {
        assert!(since.elapsed() < Duration::from_secs(10), "what they held is not given back");
        tokio::task::yield_now().await;
    }
    server.stop().await
}
