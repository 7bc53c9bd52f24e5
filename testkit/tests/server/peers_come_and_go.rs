//! Who is in a room: told to the newcomer first, and to the others once for each coming and each going.

use anyhow::Context;
use grtc_testkit::{Client, Closed, TestServer};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

/// The peer, the number of peers and the reason of a `peer_joined` or `peer_left`.
fn change(message: &Value) -> (Value, Value, Value) {
    assert!(message["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{message}");
    (message["peer_id"].clone(), message["total_peers"].clone(), message["reason"].clone())
}

fn of(peer: &str, total: usize, reason: Option<&str>) -> (Value, Value, Value) {
    (json!(peer), json!(total), json!(reason))
}

/// Makes sure that nothing else waits for this client.
async fn settled(client: &mut Client) -> anyhow::Result<()> {
    client.send(json!({"type": "ping"})).await?;
    client.expect("pong").await.map(drop)
}

#[tokio::test]
async fn the_newcomer_learns_who_is_there_and_they_learn_of_it() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut b = server.join("room1", "b").await?;
    let mut a = server.join("room1", "a").await?;
    let mut c = server.join("room1", "c").await?;
    let mut other = server.join("room2", "a").await?;
    let state = c.room_state();
    assert_eq!((&state["peers"], &state["your_peer_id"]), (&json!(["b", "a"]), &json!("c")));
    assert_eq!(state["room_id"], "room1");
    assert_eq!(change(&b.expect("peer_joined").await?), of("a", 2, None));
    assert_eq!(change(&b.expect("peer_joined").await?), of("c", 3, None));
    assert_eq!(change(&a.expect("peer_joined").await?), of("c", 3, None));
    for client in [&mut a, &mut b, &mut c, &mut other] {
        settled(client).await?;
    }
    server.stop().await
}

#[tokio::test]
async fn each_way_of_going_has_its_reason() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut watcher = server.join("room1", "watcher").await?;
    let close = |code: u16| Message::Close(Some(CloseFrame { code: code.into(), reason: "".into() }));
    for (how, reason) in [("leave", "left"), ("1000", "left"), ("1001", "left"), ("3000", "lost"), ("drop", "lost")] {
        let mut peer = server.join("room1", how).await?;
        watcher.expect("peer_joined").await?;
        match how {
            "leave" => assert_eq!(peer.leave().await?.code, Some(1000)),
            "drop" => drop(peer),
            code => peer.send_raw(close(code.parse()?)).await?,
        }
        assert_eq!(change(&watcher.expect("peer_left").await?), of(how, 1, Some(reason)));
    }
    settled(&mut watcher).await?;
    assert_eq!(server.http().get("/rooms/room1/peers").await?.json()?["peers"], json!(["watcher"]));
    server.stop().await
}

#[tokio::test]
async fn who_went_may_come_back_at_once() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut watcher = server.join("room1", "watcher").await?;
    for _ in 0..20 {
        assert_eq!(server.join("room1", "a").await?.leave().await?.code, Some(1000));
        watcher.expect("peer_joined").await?;
        watcher.expect("peer_left").await?;
    }
    assert_eq!(watcher.leave().await?.code, Some(1000));
    assert_eq!(server.http().get("/rooms").await?.json()?["total"], 0, "an empty room is none");
    server.stop().await
}

#[tokio::test]
async fn a_server_that_stops_says_so() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = server.join("room1", "a").await?;
    let mut b = server.join("room1", "b").await?;
    a.expect("peer_joined").await?;
    let (stopped, a, b): (_, anyhow::Result<Closed>, anyhow::Result<Closed>) =
        tokio::join!(server.stop(), a.closed(), b.closed());
    for closed in [a?, b?] {
        let wait = closed.reason.strip_prefix("retry in ").and_then(|rest| rest.strip_suffix(" ms"));
        let wait: u64 = wait.with_context(|| closed.reason.clone())?.parse()?;
        assert!(closed.code == Some(1012) && wait < 5_000, "{closed:?}");
    }
    stopped
}
