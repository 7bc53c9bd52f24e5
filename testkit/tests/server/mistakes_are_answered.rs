//! A frame that can't be taken is answered and the connection lives; a flood of them ends it.

use grtc_testkit::{Client, Raw, TestServer, raw::Opcode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

async fn mistake(client: &mut Client, frame: Message) -> anyhow::Result<(Value, Value)> {
    client.send_raw(frame).await?;
    let error = client.expect("error").await?;
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    Ok((error["code"].clone(), error["ref"].clone()))
}

#[tokio::test]
async fn each_has_its_code_and_the_connection_lives() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut watcher = server.join("room1", "watcher").await?;
    let mut a = server.join("room1", "a").await?;
    watcher.expect("peer_joined").await?;
    let deep = format!("{{\"type\":\"broadcast\",\"data\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    for (text, code, reference) in [
        ("", "bad_json", None),
        ("hello", "bad_json", None),
        ("[]", "bad_json", None),
        ("{\"type\":\"ping\"} {}", "bad_json", None),
        ("{\"type\":\"ping\",\"type\":\"leave\"}", "bad_json", None),
        (&deep, "bad_json", None),
        ("{}", "missing_field", None),
        (r#"{"id":"m0"}"#, "missing_field", Some("m0")),
        (r#"{"type":"shout","id":"m1"}"#, "unknown_type", Some("m1")),
        (r#"{"type":"room_state"}"#, "unknown_type", None),
        (r#"{"type":"broadcast","id":"m2"}"#, "missing_field", Some("m2")),
        (r#"{"type":"offer","offer":{},"id":"m3"}"#, "missing_field", Some("m3")),
        (r#"{"type":"offer","target_peer_id":"watcher"}"#, "missing_field", None),
        (r#"{"type":"offer","target_peer_id":7,"offer":{},"id":"m4"}"#, "bad_field", Some("m4")),
        (r#"{"type":["ping"]}"#, "bad_field", None),
        (r#"{"type":"ping","id":7}"#, "bad_field", None),
        (r#"{"type":"message","target_peer_id":"z","data":1,"id":"m5"}"#, "peer_not_found", Some("m5")),
        (r#"{"type":"message","target_peer_id":"\u202e\n","data":1}"#, "peer_not_found", None),
    ] {
        assert_eq!(mistake(&mut a, Message::text(text)).await?, (json!(code), json!(reference)), "{text:.60}");
    }
    assert_eq!(mistake(&mut a, Message::binary(vec![1, 2])).await?, (json!("unsupported"), Value::Null));
    a.send(json!({"type": "ping", "id": "x".repeat(129)})).await?;
    assert_eq!(a.expect("error").await?["code"], "bad_field");
    a.send(json!({"type": "broadcast", "data": "still here"})).await?;
    assert_eq!(watcher.expect("broadcast_message").await?["data"], "still here", "and nothing before it");
    server.stop().await
}

#[tokio::test]
async fn a_flood_of_mistakes_ends_with_1008() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut watcher = server.join("room1", "watcher").await?;
    let mut a = server.join("room1", "a").await?;
    for _ in 0..100 {
        assert_eq!(mistake(&mut a, Message::text("x")).await?.0, "bad_json");
    }
    for _ in 0..100 {
        // It may be closed before the last one.
        let _ = a.send_raw(Message::binary(vec![0])).await;
    }
    assert_eq!(a.closed().await?.code, Some(1008));
    assert_eq!(watcher.skip_to("peer_left").await?["reason"], "lost");
    server.stop().await
}

#[tokio::test]
async fn messages_to_peers_that_have_gone_are_no_flood() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = server.join("room1", "a").await?;
    for _ in 0..300 {
        let candidate = json!({"type": "ice_candidate", "target_peer_id": "gone", "candidate": null});
        assert_eq!(mistake(&mut a, Message::text(candidate.to_string())).await?.0, "peer_not_found");
    }
    a.leave().await?;
    server.stop().await
}

#[tokio::test]
async fn what_is_no_websocket_frame_ends_with_1002_or_1007() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut watcher = server.join("room1", "watcher").await?;
    let fragment = grtc_testkit::raw::frame(true, Opcode::Continuation, b"x");
    let bad_utf8 = grtc_testkit::raw::frame(true, Opcode::Text, b"\xff\xfe");
    let long_ping = grtc_testkit::raw::frame(true, Opcode::Ping, &[0; 126]);
    let broken =
        [&b"\x81\x01x"[..], b"\xc1\x80\0\0\0\0", b"\x83\x80\0\0\0\0", &fragment, &long_ping].map(|bytes| (bytes, 1002));
    for (n, (bytes, code)) in broken.into_iter().chain([(&bad_utf8[..], 1007)]).enumerate() {
        let mut raw = Raw::upgrade(server.address(), &format!("/ws/room1?peer_id=p{n}")).await?;
        raw.send(bytes).await?;
        assert_eq!(raw.close_code(grtc_testkit::raw::WAIT).await?, code, "{bytes:?}");
        assert_eq!(watcher.skip_to("peer_left").await?["reason"], "lost");
    }
    server.stop().await
}
