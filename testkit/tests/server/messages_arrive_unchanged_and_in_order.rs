//! What peers send each other through the server: whole, in order, to those it is for and nobody else.

use grtc_testkit::{Client, Raw, TestServer, raw::Opcode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

async fn three(server: &TestServer) -> anyhow::Result<[Client; 3]> {
    let mut a = server.join("room1", "a").await?;
    let mut b = server.join("room1", "b").await?;
    let c = server.join("room1", "c").await?;
    for _ in 0..2 {
        a.expect("peer_joined").await?;
    }
    b.expect("peer_joined").await?;
    Ok([a, b, c])
}

#[tokio::test]
async fn signals_go_to_one_peer_as_they_were_sent() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let [mut a, mut b, mut c] = three(&server).await?;
    for signal in [
        json!({"type": "offer", "target_peer_id": "b", "offer": {"type": "offer", "sdp": "v=0\r\na=x\r\n"}}),
        json!({"type": "answer", "target_peer_id": "b", "answer": {"type": "answer", "sdp": ""}, "attempt": "1"}),
        json!({"type": "ice_candidate", "target_peer_id": "b", "candidate": null}),
        json!({"type": "ice_candidate", "target_peer_id": "b", "candidate": {"candidate": "", "sdpMid": "0", "sdpMLineIndex": 0}}),
        json!({"type": "offer", "target_peer_id": "b", "offer": {}, "from_peer_id": "c", "later": [{"x": "\u{202e}é"}]}),
    ] {
        a.send(signal.clone()).await?;
        let got = b.expect("webrtc_signal").await?;
        assert_eq!((&got["from_peer_id"], &got["signal"]), (&json!("a"), &signal));
    }
    c.send(json!({"type": "ping"})).await?;
    c.expect("pong").await?;
    server.stop().await
}

/// Numbers and spellings survive, as no parser and printer would keep them.
#[tokio::test]
async fn a_signal_keeps_its_very_bytes() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut b = Raw::upgrade(server.address(), "/ws/room1?peer_id=b").await?;
    let mut a = server.join("room1", "a").await?;
    let text = r#"{ "type":"offer", "target_peer_id":"b","offer":{"sdp":"\u0041\/"},"n":1.0e2,"big":123456789012345678901234567890}"#;
    a.send_raw(Message::text(text)).await?;
    loop {
        let frame = String::from_utf8(b.next_frame(grtc_testkit::raw::WAIT).await?.1)?;
        if frame.contains("webrtc_signal") {
            assert!(frame.contains(text), "{frame}");
            break;
        }
    }
    server.stop().await
}

#[tokio::test]
async fn broadcasts_reach_everybody_else_and_direct_messages_one() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let [mut a, mut b, mut c] = three(&server).await?;
    let mut elsewhere = server.join("room2", "d").await?;
    for (seq, data) in (1..).zip([json!("text"), json!(null), json!({"x": [1, 2.5]}), json!(0)]) {
        a.send(json!({"type": "broadcast", "data": data})).await?;
        for client in [&mut b, &mut c] {
            let got = client.expect("broadcast_message").await?;
            assert_eq!((&got["from_peer_id"], &got["data"], &got["seq"]), (&json!("a"), &data, &json!(seq)));
        }
    }
    a.send(json!({"type": "message", "target_peer_id": "b", "data": {"to": "b"}, "from_peer_id": "c"})).await?;
    let got = b.expect("direct_message").await?;
    assert_eq!((&got["from_peer_id"], &got["data"]), (&json!("a"), &json!({"to": "b"})));
    a.send(json!({"type": "message", "target_peer_id": "a", "data": "to myself"})).await?;
    assert_eq!(a.expect("direct_message").await?["data"], "to myself");
    for client in [&mut a, &mut b, &mut c, &mut elsewhere] {
        client.send(json!({"type": "ping"})).await?;
        client.expect("pong").await?;
    }
    server.stop().await
}

#[tokio::test]
async fn from_one_sender_everything_arrives_in_order() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let [mut a, mut b, mut c] = three(&server).await?;
    for n in 0..200 {
        a.send(match n % 3 {
            0 => json!({"type": "broadcast", "data": n}),
            1 => json!({"type": "message", "target_peer_id": "b", "data": n}),
            _ => json!({"type": "offer", "target_peer_id": "b", "offer": n}),
        })
        .await?;
    }
    for n in 0..200 {
        let got = b.recv().await?;
        let number = if got["type"] == "webrtc_signal" { &got["signal"]["offer"] } else { &got["data"] };
        assert_eq!(number, n, "{got}");
        if n % 3 == 0 {
            assert_eq!(c.expect("broadcast_message").await?["data"], n);
        }
    }
    server.stop().await
}

#[tokio::test]
async fn nobody_speaks_in_another_name() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let [mut a, mut b, _c] = three(&server).await?;
    for key in ["from_peer_id", "from", "peer_id", "your_peer_id", "sender", "from_peer_\\u0069d"] {
        for kind in [
            "\"broadcast\",\"data\":1",
            "\"offer\",\"target_peer_id\":\"b\",\"offer\":1",
            "\"message\",\"target_peer_id\":\"b\",\"data\":1",
        ] {
            a.send_raw(Message::text(format!(r#"{{"{key}":"c","type":{kind},"timestamp":"0","seq":99}}"#))).await?;
            let got = b.recv().await?;
            assert_eq!(got["from_peer_id"], "a", "{got}");
            assert!(got["timestamp"] != "0" && got["seq"] != 99, "{got}");
        }
    }
    server.stop().await
}

#[tokio::test]
async fn who_asks_for_it_is_told_that_a_message_was_taken() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let [mut a, mut b, _c] = three(&server).await?;
    let ack = |id: &str| json!({"type": "ack", "ref": id});
    for message in [
        json!({"type": "broadcast", "data": 1, "id": "m1"}),
        json!({"type": "message", "target_peer_id": "b", "data": 1, "id": "\"é\n"}),
        json!({"type": "offer", "target_peer_id": "b", "offer": 1, "id": "x".repeat(128)}),
    ] {
        a.send(message.clone()).await?;
        assert_eq!(a.recv().await?, ack(message["id"].as_str().unwrap()));
        b.recv().await?;
    }
    a.send(json!({"type": "ping", "id": "p"})).await?;
    let (first, second) = (a.recv().await?, a.recv().await?);
    assert_eq!((first, second), (json!({"type": "pong"}), ack("p")));
    server.stop().await
}

#[tokio::test]
async fn a_message_in_fragments_and_a_ping_between_them() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = server.join("room1", "a").await?;
    let mut raw = Raw::upgrade(server.address(), "/ws/room1?peer_id=raw").await?;
    a.expect("peer_joined").await?;
    let text = json!({"type": "broadcast", "data": "x".repeat(1_000)}).to_string();
    let mut pieces = text.as_bytes().chunks(10).peekable();
    raw.frame(false, Opcode::Text, pieces.next().unwrap_or_default()).await?;
    raw.frame(true, Opcode::Ping, b"still there?").await?;
    while let Some(piece) = pieces.next() {
        raw.frame(pieces.peek().is_none(), Opcode::Continuation, piece).await?;
    }
    assert_eq!(a.expect("broadcast_message").await?["data"], Value::from("x".repeat(1_000)));
    let (_, state) = raw.next_frame(grtc_testkit::raw::WAIT).await?;
    assert!(state.starts_with(b"{\"type\":\"room_state\""));
    assert_eq!(raw.next_frame(grtc_testkit::raw::WAIT).await?, (10, b"still there?".to_vec()));
    server.stop().await
}
