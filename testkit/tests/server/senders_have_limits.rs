//! Too fast, too big, endless: one client's excess is its own affair. What comes due
//! after a while is tested beside the session, in virtual time.

use std::time::Duration;

use grtc_server::limits::Limit;
use grtc_testkit::{
    Raw, TestServer,
    raw::{Opcode, WAIT, frame},
};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_fast_sender_is_read_slowly_and_loses_nothing() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.limits[Limit::MessageRate] = 200).await?;
    let mut b = server.join("room1", "b").await?;
    let mut a = server.join("room1", "a").await?;
    b.expect("peer_joined").await?;
    // 25 at once are free; 575 more take 2.9 s.
    for n in 0..600 {
        a.send(json!({"type": "broadcast", "data": n})).await?;
    }
    for n in 0..600 {
        assert_eq!(b.expect("broadcast_message").await?["data"], n);
    }
    assert_eq!(a.expect("error").await?["code"], "rate_limited");
    a.send(json!({"type": "ping"})).await?;
    a.expect("pong").await?;
    server.stop().await
}

#[tokio::test]
async fn a_message_may_have_64_kib_and_no_more() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut watcher = server.join("room1", "watcher").await?;
    let text = |bytes: usize| format!("{{\"type\":\"broadcast\",\"data\":\"{}\"}}", "x".repeat(bytes - 30));
    let mut a = server.join("room1", "a").await?;
    watcher.expect("peer_joined").await?;
    assert_eq!(text(65_536).len(), 65_536);
    a.send_raw(Message::text(text(65_536))).await?;
    watcher.expect("broadcast_message").await?;
    a.send_raw(Message::text(text(65_537))).await?;
    assert_eq!(a.closed().await?.code, Some(1009));
    assert_eq!(watcher.expect("peer_left").await?["reason"], "lost");
    // Announced only: a frame of 2^62 bytes.
    let mut raw = Raw::upgrade(server.address(), "/ws/room1?peer_id=raw").await?;
    raw.send(b"\x81\xff\x40\0\0\0\0\0\0\0\0\0\0\0").await?;
    assert_eq!(raw.close_code(WAIT).await?, 1009);
    // In fragments that are small one by one.
    let mut raw = Raw::upgrade(server.address(), "/ws/room1?peer_id=fragments").await?;
    raw.frame(false, Opcode::Text, &[b'x'; 60_000]).await?;
    raw.frame(false, Opcode::Continuation, &[b'x'; 6_000]).await?;
    assert_eq!(raw.close_code(WAIT).await?, 1009);
    server.stop().await
}

#[tokio::test]
async fn a_message_in_endless_fragments_ends_with_1008() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut raw = Raw::upgrade(server.address(), "/ws/room1?peer_id=a").await?;
    raw.frame(false, Opcode::Text, b"").await?;
    let many = frame(false, Opcode::Continuation, b"").repeat(1_000);
    let (mut sent, mut closed) = (0, None);
    while sent < 1_000_000 && closed.is_none() {
        sent += 1_000;
        closed = match raw.send(&many).await {
            Ok(()) => raw.close_code(Duration::from_millis(1)).await.ok(),
            Err(_) => Some(raw.close_code(WAIT).await?),
        };
    }
    assert_eq!(closed, Some(1008), "after {sent} fragments");
    server.stop().await
}

#[tokio::test]
async fn compression_is_never_agreed_to() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut raw = Raw::connect(server.address()).await?;
    raw.send(
        "GET /ws/room1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    )
    .await?;
    let answer = raw.answer().await?;
    assert_eq!((answer.status, answer.header("sec-websocket-extensions")), (101, None));
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "RFC 6455 section 1.3");
    server.stop().await
}
