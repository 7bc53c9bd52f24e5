//! What peers tell each other, and where they are, is not for the log, at whatever level.

use grtc_testkit::{Launch, ServerProcess};
use hyper::Method;
use serde_json::json;

#[tokio::test]
async fn nothing_that_peers_say_is_in_it() -> anyhow::Result<()> {
    let launch = Launch { environment: &[("RUST_LOG", "trace")], ..Launch::default() };
    let server = ServerProcess::launch(&launch).await?;
    let mut a = server.join("canary-room", "canary-peer-a").await?;
    let mut b = server.join("canary-room", "canary-peer-b").await?;
    a.expect("peer_joined").await?;
    for message in [
        json!({"type": "offer", "target_peer_id": "canary-peer-b", "offer": {"type": "offer", "sdp": "canary-sdp"}}),
        json!({"type": "ice_candidate", "target_peer_id": "canary-peer-b", "candidate": {"candidate": "canary-candidate 203.0.113.77"}}),
        json!({"type": "message", "target_peer_id": "canary-peer-b", "data": "canary-text"}),
        json!({"type": "broadcast", "data": "canary-text"}),
        json!({"type": "message", "target_peer_id": "canary-nobody", "data": 1}),
        json!({"type": "canary-type"}),
    ] {
        a.send(message).await?;
    }
    for _ in 0..4 {
        b.recv().await?;
    }
    for _ in 0..2 {
        a.expect("error").await?;
    }
    let secret =
        [("idempotency-key", "canary-key"), ("authorization", "Bearer canary-token"), ("cookie", "canary-cookie")];
    let item = json!({"title": "canary-title", "description": "canary-description"});
    assert_eq!(
        server.http().send(Method::POST, "/api/items/?token=canary-query", &secret, Some(&item)).await?.status,
        201
    );
    server.http().get("/api/items/?q=canary-search").await?;
    server.http().get("/ws/room1?peer_id=canary-plain").await?;
    assert_eq!(a.leave().await?.code, Some(1000));
    b.expect("peer_left").await?;
    let log = server.log();
    assert!(log.contains("/api/items/"), "it logs something:\n{log}");
    for secret in ["canary", "203.0.113.77"] {
        let found: Vec<_> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(found.is_empty(), "{secret}: {found:#?}");
    }
    server.stop().await
}

#[tokio::test]
async fn what_clients_send_forges_no_line() -> anyhow::Result<()> {
    let launch = Launch { environment: &[("RUST_LOG", "debug")], ..Launch::default() };
    let server = ServerProcess::launch(&launch).await?;
    server.http().get("/api/items/%0A%7B%22level%22%3A%22ERROR%22%7D%1B%5B31m").await?;
    server.http().get("/api/items/1").await?;
    let log = server.log();
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert!(!log.contains('\u{1b}') && !log.contains("\"ERROR\""), "{log}");
    server.stop().await
}
