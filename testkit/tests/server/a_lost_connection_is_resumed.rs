//! Who asks for it keeps its place when its connection breaks, and comes back to all that it missed. And what those find who
//! come later: the last broadcasts, and what the others have said about themselves.

use std::time::Duration;

use grtc_testkit::{Client, Launch, ServerProcess, TestServer, ws};
use serde_json::{Value, json};

/// A client that asks to come back, and counts.
struct Asker {
    url: String,
    client: Client,
    state: Value,
    received: u64,
}

impl Asker {
    async fn join(address: std::net::SocketAddr, room: &str, peer: &str) -> anyhow::Result<Self> {
        let url = ws::peer_url(address, room, peer);
        let (client, state) = join(&format!("{url}&resume=")).await?;
        Ok(Self { url, client, state, received: 0 })
    }

    fn token(&self) -> &str {
        self.state["resume_token"].as_str().unwrap_or_default()
    }

    fn url_back(&self) -> String {
        format!("{}&resume={}&received={}", self.url, self.token(), self.received)
    }

    async fn next(&mut self) -> anyhow::Result<Value> {
        let frame = self.client.recv().await?;
        self.received += 1;
        Ok(frame)
    }

    /// Drops the connection without a word and comes back.
    async fn cut(self) -> anyhow::Result<Self> {
        let url = self.url_back();
        drop(self.client);
        let (client, state) = join(&url).await?;
        Ok(Self { url: self.url, client, state, received: 0 })
    }
}

/// An asker in a room with somebody who was there before.
async fn asker_and_watcher(server: &TestServer) -> anyhow::Result<(Asker, Client)> {
    let mut b = server.join("room1", "b").await?;
    let a = Asker::join(server.address(), "room1", "a").await?;
    b.expect("peer_joined").await?;
    Ok((a, b))
}

async fn join(url: &str) -> anyhow::Result<(Client, Value)> {
    let mut client = Client::connect(url).await?;
    let state = client.expect("room_state").await?;
    Ok((client, state))
}

#[tokio::test]
async fn all_that_was_sent_arrives_once_and_in_order_over_many_cuts() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let (mut a, mut b) = asker_and_watcher(&server).await?;
    assert_eq!((a.state["recovered"].clone(), a.token().len()), (Value::Null, 32));
    let (mut sent, mut seen) = (0, 0);
    for round in 0..50 {
        for _ in 0..6 {
            sent += 1;
            b.send(match sent % 2 {
                0 => json!({"type": "broadcast", "data": sent}),
                _ => json!({"type": "message", "target_peer_id": "a", "data": sent}),
            })
            .await?;
        }
        // Some of them stay on the way.
        for _ in 0..round % 7 {
            seen += 1;
            assert_eq!(a.next().await?["data"], seen);
        }
        let token = a.token().to_owned();
        a = a.cut().await?;
        assert!(a.state["recovered"] == true && a.state["peers"] == json!(["b"]) && a.token() != token, "{}", a.state);
    }
    while seen < sent {
        seen += 1;
        assert_eq!(a.next().await?["data"], seen);
    }
    a.client.send(json!({"type": "ping"})).await?;
    assert_eq!(a.next().await?["type"], "pong");
    // The others have seen it away and back at most, in turns.
    b.send(json!({"type": "ping"})).await?;
    let mut away = false;
    loop {
        match b.recv().await?["type"].as_str() {
            Some("peer_away") if !away => away = true,
            Some("peer_back") if away => away = false,
            Some("pong") => break,
            other => anyhow::bail!("{other:?}"),
        }
    }
    assert!(!away);
    server.stop().await
}

#[tokio::test]
async fn the_others_are_told_and_the_place_is_kept_until_the_grace_is_over() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.resume_grace = Duration::from_secs(1)).await?;
    let (a, mut b) = asker_and_watcher(&server).await?;
    let back = a.url_back();
    drop(a);
    assert_eq!(b.expect("peer_away").await?["peer_id"], "a");
    let rooms = server.http().get("/rooms").await?.json()?;
    assert_eq!(rooms["rooms"], json!([{"room_id": "room1", "peers": 2}]));
    assert_eq!(server.http().get("/rooms/room1/peers").await?.json()?["peers"], json!(["b", "a"]));
    assert_eq!(server.connect("room1", "a").await?.closed().await?.code, Some(4409));
    let wrong = format!("{}&resume={}", ws::peer_url(server.address(), "room1", "a"), "0".repeat(32));
    assert_eq!(Client::connect(&wrong).await?.closed().await?.code, Some(4409));
    let left = b.expect("peer_left").await?;
    assert_eq!((&left["peer_id"], &left["reason"], &left["total_peers"]), (&json!("a"), &json!("lost"), &json!(1)));
    let (_a, state) = join(&back).await?;
    assert_eq!(state["recovered"], false);
    b.expect("peer_joined").await?;
    server.stop().await
}

#[tokio::test]
async fn a_goodbye_is_one() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut b = server.join("room1", "b").await?;
    for leave in [true, false] {
        let a = Asker::join(server.address(), "room1", "a").await?;
        b.expect("peer_joined").await?;
        let back = a.url_back();
        let closed = if leave { a.client.leave().await? } else { a.client.close().await? };
        assert_eq!(closed.code, Some(1000));
        assert_eq!(b.expect("peer_left").await?["reason"], "left");
        let (a, state) = join(&back).await?;
        assert_eq!(state["recovered"], false);
        b.expect("peer_joined").await?;
        a.leave().await?;
        b.expect("peer_left").await?;
    }
    server.stop().await
}

#[tokio::test]
async fn a_connection_that_still_lives_is_closed_for_who_has_the_token() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let (mut a, mut b) = asker_and_watcher(&server).await?;
    b.send(json!({"type": "broadcast", "data": 1})).await?;
    assert_eq!(a.next().await?["data"], 1);
    let (mut again, state) = join(&a.url_back()).await?;
    assert_eq!(state["recovered"], true);
    assert_eq!(a.client.closed().await?.code, Some(4001));
    again.send(json!({"type": "broadcast", "data": 2})).await?;
    assert_eq!(b.expect("broadcast_message").await?["data"], 2, "nobody saw anything of it");
    server.stop().await
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_acknowledged_and_delivered_once() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let (mut a, mut b) = asker_and_watcher(&server).await?;
    let message = |n: u32| json!({"type": "message", "target_peer_id": "b", "data": n, "id": format!("m{n}")});
    a.client.send(message(1)).await?;
    assert_eq!(b.expect("direct_message").await?["data"], 1);
    // Its `ack` stays on the way.
    let mut a = a.cut().await?;
    assert_eq!(a.next().await?, json!({"type": "ack", "ref": "m1"}));
    a.client.send(message(1)).await?;
    a.client.send(message(2)).await?;
    assert_eq!(a.next().await?["ref"], "m1");
    assert_eq!(a.next().await?["ref"], "m2");
    loop {
        let frame = b.recv().await?;
        if frame["type"] == "direct_message" {
            assert_eq!(frame["data"], 2);
            break;
        }
    }
    server.stop().await
}

#[tokio::test]
async fn who_comes_later_finds_the_last_broadcasts_and_the_metadata() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = Asker::join(server.address(), "room1", "a").await?;
    let metadata = json!({"name": "Ann", "color": "#0a0"});
    a.client.send(json!({"type": "metadata", "metadata": metadata, "id": "m"})).await?;
    for n in 1..=400 {
        a.client.send(json!({"type": "broadcast", "data": n})).await?;
    }
    a.client.expect("ack").await?;
    a.client.send(json!({"type": "ping"})).await?;
    a.client.expect("pong").await?;
    let url = ws::peer_url(server.address(), "room1", "b");
    let (mut b, state) = join(&format!("{url}&history=300")).await?;
    assert_eq!((&state["metadata"], &state["seq"]), (&json!({"a": metadata}), &json!(400)));
    for n in 101..=400 {
        let frame = b.expect("broadcast_message").await?;
        assert_eq!((&frame["data"], &frame["seq"], &frame["replayed"]), (&json!(n), &json!(n), &json!(true)));
    }
    a.client.send(json!({"type": "metadata", "metadata": {}})).await?;
    assert_eq!(b.expect("peer_updated").await?["metadata"], json!({}));
    for wrong in [json!([]), json!({"x": "x".repeat(4_096)})] {
        b.send(json!({"type": "metadata", "metadata": wrong, "id": "w"})).await?;
        let error = b.expect("error").await?;
        assert_eq!((&error["code"], &error["ref"]), (&json!("bad_field"), &json!("w")));
    }
    for wrong in ["history=301", "history=x", "resume=x&received=-1"] {
        let refusal = Client::connect(&format!("{url}2&{wrong}")).await.unwrap_err();
        assert!(refusal.status == Some(400) && refusal.body.contains("bad_query"), "{wrong}: {refusal}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_server_may_have_no_grace() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.resume_grace = Duration::ZERO).await?;
    let (a, mut b) = asker_and_watcher(&server).await?;
    assert_eq!((&a.state["resume_token"], &a.state["recovered"]), (&Value::Null, &Value::Null));
    drop(a);
    assert_eq!(b.expect("peer_left").await?["reason"], "lost");
    server.stop().await
}

#[tokio::test]
async fn a_stop_waits_for_nobody_who_is_away_and_no_token_is_in_the_log() -> anyhow::Result<()> {
    let launch = Launch { environment: &[("RUST_LOG", "trace")], ..Launch::default() };
    let server = ServerProcess::launch(&launch).await?;
    let mut b = server.join("room1", "b").await?;
    let a = Asker::join(server.address(), "room1", "a").await?;
    b.expect("peer_joined").await?;
    let first = a.token().to_owned();
    let a = a.cut().await?;
    let second = a.token().to_owned();
    let wrong = format!("{}&resume=canary-token", a.url);
    assert_eq!(Client::connect(&wrong).await?.closed().await?.code, Some(4409));
    drop(a);
    b.skip_to("peer_away").await?;
    let log = server.log();
    assert!(log.contains("/ws/{room_id}"), "it logs something:\n{log}");
    for secret in [&first, &second, "canary-token", "resume="] {
        assert!(!log.contains(secret), "{secret}");
    }
    server.stop().await
}
