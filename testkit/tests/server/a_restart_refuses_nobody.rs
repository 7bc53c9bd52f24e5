//! The sockets are a service manager's: while a server stops and the next one starts, nobody is refused, and whoever comes
//! meanwhile waits for the next one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use grtc_testkit::{Client, Http, activation::Manager};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// Requests a second, and who makes them.
const RATE: u64 = 500;
const WRITERS: u64 = 20;

#[tokio::test]
async fn a_restart_under_load_fails_no_request() -> anyhow::Result<()> {
    a_restart_under_load(300).await
}

#[tokio::test]
#[ignore = "takes long: scripts/test long"]
async fn long_a_restart_with_10000_sockets_fails_no_request() -> anyhow::Result<()> {
    a_restart_under_load(10_000).await
}

/// `clients`: how many WebSockets are told to come back.
async fn a_restart_under_load(clients: usize) -> anyhow::Result<()> {
    grtc_load::raise_open_files()?;
    let manager = Manager::new()?;
    let address = manager.address()?;
    let mut server = manager.start(None).await?;
    assert_eq!(server.address(), address, "the socket wins over --listen");
    let mut sockets = Vec::new();
    for n in 0..clients {
        sockets.push(
            Client::connect(&grtc_testkit::ws::peer_url(address, &format!("room{}", n / 100), &format!("p{n}")))
                .await?,
        );
    }
    let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (over, asked) = (over.clone(), asked.clone());
            tokio::spawn(async move {
                let mut ticks = interval(Duration::from_micros(1_000_000 * WRITERS / RATE));
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                let mut ids = Vec::new();
                while !over.load(SeqCst) {
                    ticks.tick().await;
                    let http = Http::new(address);
                    // One in ten writes, the others read.
                    if ids.len() as u64 % 10 == writer % 10 {
                        let answer = http.post("/api/items/", &json!({"title": "t"})).await?;
                        anyhow::ensure!(answer.status == 201, "{answer:?}");
                        ids.push(answer.json()?["id"].as_i64());
                    } else {
                        let answer = http.get("/api/items/?limit=1").await?;
                        anyhow::ensure!(answer.status == 200, "{answer:?}");
                        ids.push(None);
                    }
                    asked.fetch_add(1, SeqCst);
                }
                anyhow::Ok(ids.into_iter().flatten().collect::<Vec<_>>())
            })
        })
        .collect();
    let progress = async |more: u64| {
        let from = asked.load(SeqCst);
        while asked.load(SeqCst) < from + more {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), progress(RATE)).await?;
    for _ in 0..2 {
        let since = Instant::now();
        server.terminate()?;
        for socket in sockets.drain(..) {
            let mut socket = socket;
            let closed = socket.closed().await?;
            assert_eq!(closed.code, Some(1012));
            assert!(closed.reason.starts_with("retry in ") && closed.reason.ends_with(" ms"), "{closed:?}");
        }
        assert_eq!(server.ended().await?, Some(0), "{}", server.log());
        assert!(since.elapsed() < Duration::from_secs(10));
        // Nobody listens now, and they knock on.
        server = manager.start(Some(server.kill().await?)).await?;
        timeout(Duration::from_secs(30), progress(RATE)).await?;
    }
    over.store(true, SeqCst);
    let mut written = 0;
    for writer in writers {
        for id in writer.await?? {
            assert_eq!(server.http().get(&format!("/api/items/{id}")).await?.status, 200, "{id} was acknowledged");
            written += 1;
        }
    }
    eprintln!("{} requests, {written} of them writes, over two restarts", asked.load(SeqCst));
    server.stop().await
}
