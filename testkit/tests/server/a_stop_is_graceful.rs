//! SIGTERM: what is under way is answered, sockets are closed with 1012, and it ends with 0 within ten seconds.

use std::time::{Duration, Instant};

use grtc_testkit::{Events, Launch, Raw, ServerProcess};
use serde_json::json;

const HEAD: &str = "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                    Expect: 100-continue\r\nContent-Length: 13\r\n\r\n";

async fn under_way(server: &ServerProcess) -> anyhow::Result<Raw> {
    let mut request = Raw::connect(server.address()).await?;
    request.send(HEAD).await?;
    assert_eq!(request.answer().await?.status, 100);
    Ok(request)
}

#[tokio::test]
async fn what_is_under_way_is_answered_and_everybody_is_told() -> anyhow::Result<()> {
    let mut server = ServerProcess::launch(&Launch::default()).await?;
    let mut events = Events::open(server.address(), None).await?;
    let mut peer = server.join("room1", "a").await?;
    let mut idle = Raw::connect(server.address()).await?;
    let mut request = under_way(&server).await?;
    let http = server.http();
    server.terminate()?;
    assert_eq!(peer.closed().await?.code, Some(1012));
    idle.ended(Duration::from_secs(5)).await?;
    // Who comes anew learns why nothing is done.
    let draining = http.get("/health/ready").await?;
    assert_eq!((draining.status, &draining.json()?["status"]), (503, &json!("draining")));
    let refused = http.post("/api/items/", &json!({"title": "late"})).await?;
    assert_eq!((refused.status, &refused.json()?["code"]), (503, &json!("stopping")));
    let mut late = Raw::connect(server.address()).await?;
    late.send(
        "GET /ws/room1?peer_id=b HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await?;
    let refused = late.answer().await?;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    request.send("{\"title\":\"t\"}").await?;
    let answer = request.answer().await?;
    assert_eq!((answer.status, answer.header("connection")), (201, Some("close")));
    events.ended().await?;
    assert_eq!(server.ended().await?, Some(0), "{}", server.log());
    let server = ServerProcess::again(server.kill().await?).await?;
    assert_eq!(server.http().get("/api/items/1").await?.json()?["title"], "t");
    server.stop().await
}

#[tokio::test]
async fn every_write_that_was_answered_is_there_afterwards() -> anyhow::Result<()> {
    let mut server = ServerProcess::launch(&Launch::default()).await?;
    let http = server.http();
    let writers: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                let mut ids = Vec::new();
                // Until the server is gone, or on its way.
                while let Ok(answer) = http.post("/api/items/", &json!({"title": "t"})).await {
                    if answer.status == 503 {
                        break;
                    }
                    assert_eq!(answer.status, 201, "{answer:?}");
                    ids.push(answer.json()?["id"].as_i64().unwrap_or_default());
                }
                anyhow::Ok(ids)
            })
        })
        .collect();
    let mut events = Events::open(server.address(), None).await?;
    for _ in 0..50 {
        events.expect("created").await?;
    }
    server.terminate()?;
    assert_eq!(server.ended().await?, Some(0), "{}", server.log());
    let server = ServerProcess::again(server.kill().await?).await?;
    for writer in writers {
        for id in writer.await?? {
            assert_eq!(server.http().get(&format!("/api/items/{id}")).await?.status, 200);
        }
    }
    server.stop().await
}

/// Takes seven seconds: so long are requests under way waited for.
#[tokio::test]
async fn a_request_that_does_not_end_holds_it_up_for_ten_seconds_at_most() -> anyhow::Result<()> {
    let mut server = ServerProcess::launch(&Launch::default()).await?;
    let _request = under_way(&server).await?;
    let since = Instant::now();
    server.terminate()?;
    assert_eq!(server.ended().await?, Some(0));
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() -> anyhow::Result<()> {
    let mut server = ServerProcess::launch(&Launch::default()).await?;
    let mut peer = server.join("room1", "a").await?;
    let _request = under_way(&server).await?;
    server.terminate()?;
    // The first one has arrived.
    assert_eq!(peer.closed().await?.code, Some(1012));
    let since = Instant::now();
    server.terminate()?;
    assert_eq!(server.ended().await?, Some(130));
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_hangup_is_a_stop_as_well() -> anyhow::Result<()> {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    let mut server = ServerProcess::launch(&Launch::default()).await?;
    let mut peer = server.join("room1", "a").await?;
    kill(Pid::from_raw(server.pid().try_into()?), Signal::SIGHUP)?;
    assert_eq!(peer.closed().await?.code, Some(1012));
    assert_eq!(server.ended().await?, Some(0), "{}", server.log());
    Ok(())
}
