//! Peer ids and room names: refused before the upgrade when they are none, the same name however it is written.

use grtc_testkit::{Client, Raw, TestServer, raw::WAIT};
use serde_json::{Value, json};

/// What the server answers to an upgrade at this path, byte for byte.
async fn upgrade(server: &TestServer, path: &str) -> anyhow::Result<(u16, Value)> {
    let mut raw = Raw::connect(server.address()).await?;
    raw.send(format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ))
    .await?;
    let answer = raw.answer().await?;
    match answer.status {
        101 => Ok((101, serde_json::from_slice(&raw.next_frame(WAIT).await?.1)?)),
        status => Ok((status, answer.json()?)),
    }
}

#[tokio::test]
async fn what_is_no_name_is_refused_before_the_upgrade() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let (long, wide) = ("x".repeat(65), "%C3%A9".repeat(65));
    for name in [
        "%00",
        "%0A",
        "%1B%5B31m",
        "%7F",
        "%C2%85",
        "a%2Fb",
        ".",
        "..",
        "%2E%2E",
        "%E2%80%AEx",
        "%E2%80%8B",
        "%EF%BB%BF",
        "%E2%80%A8",
        "%F3%A0%80%81",
        "%CD%B8",
        "%FF",
        "%ED%A0%80",
        &long,
        &wide,
    ] {
        for path in [format!("/ws/{name}?peer_id=a"), format!("/ws/room1?peer_id={name}")] {
            let (status, problem) = upgrade(&server, &path).await?;
            assert_eq!((status, &problem["code"]), (400, &json!("bad_name")), "{path}: {problem}");
        }
        let listed = server.http().get(&format!("/rooms/{name}/peers")).await?;
        assert_eq!(listed.status, 400, "{name}: {}", listed.text());
    }
    assert_eq!(server.http().get("/rooms").await?.json()?["total"], 0);
    server.stop().await
}

#[tokio::test]
async fn any_other_text_is_a_name() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for name in ["a b", "<b>&\"'", "名前", "😀", "a.b", "...", "%41", "a+b", "a;b=c", "\u{fffd}", &"é".repeat(64)]
    {
        let mut peer = server.join(name, name).await?;
        let state = peer.room_state();
        assert_eq!((&state["your_peer_id"], &state["room_id"]), (&json!(name), &json!(name)));
        peer.send(json!({"type": "message", "target_peer_id": name, "data": 1})).await?;
        assert_eq!(peer.expect("direct_message").await?["from_peer_id"], name);
        assert_eq!(peer.leave().await?.code, Some(1000));
    }
    server.stop().await
}

#[tokio::test]
async fn composed_and_decomposed_are_one_name() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let (nfc, nfd) = ("caf\u{e9}", "cafe\u{301}");
    let mut a = server.join(nfd, nfd).await?;
    assert_eq!((&a.room_state()["your_peer_id"], &a.room_state()["room_id"]), (&json!(nfc), &json!(nfc)));
    assert_eq!(server.connect(nfc, nfc).await?.closed().await?.code, Some(4409));
    let mut b = server.join(nfc, "b").await?;
    b.send(json!({"type": "message", "target_peer_id": nfd, "data": 1})).await?;
    assert_eq!(a.skip_to("direct_message").await?["from_peer_id"], "b");
    assert_eq!(server.join("nfd", &"e\u{301}".repeat(64)).await?.room_state()["your_peer_id"], "é".repeat(64));
    server.stop().await
}

#[tokio::test]
async fn who_brings_no_id_gets_one() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut ids = std::collections::HashSet::new();
    for query in ["", "?peer_id=", "?other=1", "?peer_id"] {
        let (status, state) = upgrade(&server, &format!("/ws/room1{query}")).await?;
        let id = state["your_peer_id"].as_str().unwrap_or_default().to_owned();
        assert!(status == 101 && id.len() >= 32, "{query}: {state}");
        assert!(ids.insert(id));
    }
    server.stop().await
}

#[tokio::test]
async fn a_broken_handshake_is_told_so() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let good = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    for (at, instead, status) in [
        (0, "Connection: close", 426),
        (1, "Upgrade: h2c", 426),
        (2, "Sec-WebSocket-Version: 8", 426),
        (2, "X: y", 426),
        (3, "Sec-WebSocket-Key: short", 400),
        (3, "X: y", 400),
    ] {
        let mut lines = good;
        lines[at] = instead;
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(format!("GET /ws/room1 HTTP/1.1\r\nHost: localhost\r\n{}\r\n\r\n", lines.join("\r\n"))).await?;
        let answer = raw.answer().await?;
        assert_eq!(answer.status, status, "{instead}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{instead}");
    }
    let refusal = Client::connect(&format!("{}?peer_id=%00", server.ws_url("room1"))).await.unwrap_err();
    assert_eq!(refusal.status, Some(400));
    server.stop().await
}
