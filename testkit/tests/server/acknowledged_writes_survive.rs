//! An answer to a write means that it is on disk: kill -9 at any moment loses none of it, and breaks nothing.

use std::{collections::HashSet, time::Duration};

use grtc_testkit::{Events, Http, Launch, ServerProcess};
use hyper::Method;
use serde_json::json;
use tokio::sync::mpsc;

use crate::common::{integrity, traceable};

/// Writes until the server is gone, and tells of each item that was acknowledged.
async fn write(http: Http, acknowledged: mpsc::Sender<(i64, String)>) {
    for n in 0.. {
        let title = format!("item {n}");
        let Ok(answer) = http.post("/api/items/", &json!({"title": title})).await else { return };
        assert_eq!(answer.status, 201);
        let id = answer.json().ok().and_then(|item| item["id"].as_i64()).unwrap_or_default();
        let _ = acknowledged.send((id, title)).await;
    }
}

#[tokio::test]
async fn kill_9_in_the_middle_of_writes_fifty_times() -> anyhow::Result<()> {
    let mut server = ServerProcess::launch(&Launch::default()).await?;
    let mut known = HashSet::new();
    for round in 0..50 {
        let (sender, mut acknowledged) = mpsc::channel(64);
        let writers: Vec<_> = (0..8).map(|_| tokio::spawn(write(server.http(), sender.clone()))).collect();
        drop(sender);
        for _ in 0..round % 20 * 3 {
            known.extend(acknowledged.recv().await);
        }
        let directory = server.kill().await?;
        while let Some(item) = acknowledged.recv().await {
            known.insert(item);
        }
        for writer in writers {
            writer.await?;
        }
        server = ServerProcess::again(directory).await?;
        assert_eq!(integrity(&server.database()).await?, "ok");
    }
    assert!(known.len() > 100, "only {}", known.len());
    let ids: HashSet<_> = known.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), known.len(), "no id is given twice");
    for (id, title) in &known {
        let item = server.http().get(&format!("/api/items/{id}")).await?;
        assert_eq!((item.status, item.json()?["title"].as_str()), (200, Some(title.as_str())), "{id}");
    }
    server.stop().await
}

#[tokio::test]
async fn jobs_are_taken_up_again() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    server.http().post("/api/items/", &json!({"title": "t"})).await?;
    for _ in 0..30 {
        let queued = server.http().send(Method::POST, "/api/items/1/process", &[], None).await?;
        assert_eq!(queued.status, 202);
    }
    let server = ServerProcess::again(server.kill().await?).await?;
    let mut events = Events::open(server.address(), None).await?;
    for job in 1..=30 {
        while server.http().get(&format!("/api/jobs/{job}")).await?.json()?["state"] != "done" {
            events.expect("processed").await?;
        }
    }
    server.stop().await
}

/// The order of system calls, as strace has it: the sync, then the answer.
#[tokio::test]
async fn the_sync_comes_before_the_answer() -> anyhow::Result<()> {
    if !traceable().await {
        return Ok(());
    }
    let directory = tempfile::TempDir::new()?;
    let trace = directory.path().join("trace");
    let calls = "trace=fdatasync,fsync,write,writev,sendto,sendmsg";
    let under = ["strace", "-D", "-f", "-o", trace.to_str().unwrap_or_default(), "-e", calls];
    let server = ServerProcess::launch(&Launch { under: &under, ..Launch::default() }).await?;
    for _ in 0..5 {
        assert_eq!(server.http().get("/api/items/").await?.status, 200);
        assert_eq!(server.http().post("/api/items/", &json!({"title": "t"})).await?.status, 201);
    }
    server.stop().await?;
    let trace = std::fs::read_to_string(&trace)?;
    let (mut synced, mut answers) = (false, 0);
    for line in trace.lines() {
        if line.contains("HTTP/1.1 200") {
            synced = false;
        } else if line.contains("sync") && line.contains("= 0") {
            synced = true;
        } else if line.contains("HTTP/1.1 201") {
            assert!(synced, "an answer without a sync:\n{trace}");
            answers += 1;
        }
    }
    assert_eq!(answers, 5, "{trace}");
    Ok(())
}

/// Syncs fail for a while, as on a disk that breaks: what is acknowledged then and later is there all the same.
#[tokio::test]
async fn a_sync_that_fails_is_no_answer() -> anyhow::Result<()> {
    if !traceable().await {
        return Ok(());
    }
    let faults = "inject=fsync,fdatasync:error=EIO:when=12..16";
    let under = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", faults];
    let server = ServerProcess::launch(&Launch { under: &under, ..Launch::default() }).await?;
    let (http, mut made, mut refused) = (server.http(), Vec::new(), 0);
    for n in 0..40 {
        let answer = http.post("/api/items/", &json!({"title": n.to_string()})).await?;
        match answer.status {
            201 => made.push(answer.json()?),
            status => refused += usize::from(status == 503),
        }
        if let Some(item) = made.last() {
            assert_eq!(http.get(&format!("/api/items/{}", item["id"])).await?.json()?, *item, "{n}");
        }
    }
    assert!(refused > 0 && made.len() + refused == 40, "{refused} of 40 were refused");
    let server = ServerProcess::again(server.kill().await?).await?;
    assert_eq!(integrity(&server.database()).await?, "ok");
    for item in made {
        assert_eq!(server.http().get(&format!("/api/items/{}", item["id"])).await?.json()?, item);
    }
    server.stop().await
}

#[tokio::test]
async fn a_database_that_is_locked_is_waited_for_and_then_said_to_be() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let http = server.http();
    http.post("/api/items/", &json!({"title": "t"})).await?;
    let lock = crate::common::Lock::on(&server.database()).await?;
    let since = std::time::Instant::now();
    let refused = http.post("/api/items/", &json!({"title": "u"})).await?;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert!((4..8).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
    let problem = refused.json()?;
    assert_eq!(problem["code"], "database_unavailable");
    assert!(!refused.text().to_lowercase().contains("sqlite") && !refused.text().contains("BEGIN"), "{problem}");
    let id = refused.header("x-request-id").unwrap_or_default();
    server.line(&[id, "locked"]).await?;
    assert_eq!(http.get("/api/items/1").await?.status, 200, "reads go on");
    let waiting = tokio::spawn(async move { http.post("/api/items/", &json!({"title": "v"})).await });
    assert_eq!(http.get("/api/items/1").await?.status, 200);
    lock.release().await?;
    assert_eq!(waiting.await??.json()?["id"], 2, "what was refused was not done");
    server.stop().await
}

/// A disk of its own, which only the server sees.
#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_space() -> anyhow::Result<()> {
    let possible = "mkdir -p \"$0\" && mount -t tmpfs -o size=4m none \"$0\"";
    let directory = tempfile::TempDir::new()?;
    let disk = directory.path().join("disk");
    let disk_name = disk.to_str().unwrap_or_default();
    let probe = tokio::process::Command::new("unshare").args(["-m", "sh", "-c", possible, disk_name]).output().await;
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: a disk of its own can't be mounted here (needs unshare and root)");
        return Ok(());
    }
    let script = format!("{possible} && exec \"$@\"");
    let under = ["unshare", "-m", "sh", "-c", &script, disk_name];
    let database = disk.join("grtc.db");
    let server =
        ServerProcess::launch(&Launch { under: &under, database: Some(&database), ..Launch::default() }).await?;
    let http = server.http();
    let item = json!({"title": "t", "description": "x".repeat(10_000)});
    assert_eq!(http.post("/api/items/", &item).await?.status, 201);
    let seen = format!("/proc/{}/root{disk_name}", server.pid());
    let filler = format!("{seen}/filler");
    // It fails with what fits.
    let _ = std::fs::write(&filler, vec![0; 4 << 20]);
    let mut stored = 1;
    let refused = loop {
        let answer = http.post("/api/items/", &item).await?;
        match answer.status {
            201 if stored < 1_000 => stored += 1,
            _ => break answer,
        }
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.text());
    assert_eq!(http.get("/api/items/1").await?.status, 200, "reads go on");
    assert_eq!(server.join("room1", "a").await?.leave().await?.code, Some(1000), "rooms go on");
    assert_eq!(http.post("/api/items/", &item).await?.status, 503);
    std::fs::remove_file(&filler)?;
    let made = http.post("/api/items/", &item).await?;
    assert_eq!((made.status, &made.json()?["id"]), (201, &json!(stored + 1)), "{}", server.log());
    assert_eq!(http.get("/api/items/").await?.header("x-total-count"), Some((stored + 1).to_string().as_str()));
    let last = format!("/api/items/{}", stored + 1);
    assert_eq!(http.get(&last).await?.status, 200, "what was acknowledged is there for everybody");
    let copy = directory.path().join("copy.db");
    std::fs::copy(format!("{seen}/grtc.db"), &copy)?;
    std::fs::copy(format!("{seen}/grtc.db-wal"), directory.path().join("copy.db-wal"))?;
    assert_eq!(integrity(&copy).await?, "ok");
    tokio::time::timeout(Duration::from_secs(15), server.stop()).await?
}
