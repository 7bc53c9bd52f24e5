//! What is written before a connection ends.

use super::*;

/// A client's frame, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    bytes.extend_from_slice(payload);
    bytes
}

/// The text frames and the close code of what a server sent. (No text here is longer than a short frame takes, but the
/// `room_state`, which comes first.)
fn read_frames(mut bytes: &[u8]) -> (Vec<Value>, Option<u16>) {
    let mut texts = Vec::new();
    while let [first, length, rest @ ..] = bytes {
        let (length, rest) = match length {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            short => (usize::from(*short), rest),
        };
        let payload = &rest[..length];
        bytes = &rest[length..];
        match first {
            0x81 => texts.push(serde_json::from_slice(payload).unwrap()),
            0x88 => return (texts, payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            other => panic!("{other:x}"),
        }
    }
    (texts, None)
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_end_is_answered_before_it() {
    let closing = |code: u16| frame(0x88, &code.to_be_bytes());
    let ends: [(&str, Vec<u8>, Option<u16>); 11] = [
        ("leave", frame(0x81, br#"{"type":"leave"}"#), Some(1000)),
        ("a close frame", closing(1000), Some(1000)),
        ("a close frame without a code", frame(0x88, b""), None),
        ("going away", closing(1001), Some(1001)),
        ("a close code that is none", closing(1005), Some(1002)),
        ("half a close code", frame(0x88, &[3]), Some(1002)),
        ("a close reason that is no UTF-8", frame(0x88, &[3, 0xe8, 0xff]), Some(1007)),
        ("a reserved bit", frame(0xc1, b"{}"), Some(1002)),
        ("a frame without a mask", vec![0x81, 2, b'{', b'}'], Some(1002)),
        ("a text that is no UTF-8", frame(0x81, &[0xff]), Some(1007)),
        ("the end of the sending side", Vec::new(), None),
    ];
    for (name, end, code) in ends {
        let rooms = Rooms::new(0);
        let mut watcher = rooms.join("watcher").await;
        let (mut client, session) = rooms.connect("a");
        let bytes = [
            frame(0x81, br#"{"type":"broadcast","data":1,"id":"q"}"#),
            frame(0x81, br#"{"type":"message","target_peer_id":"no","data":1,"id":"p"}"#),
            end,
        ];
        client.write_all(&bytes.concat()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        let (texts, closed) = read_frames(&answer);
        let kinds: Vec<_> = texts.iter().map(|text| (text["type"].as_str().unwrap(), text["ref"].clone())).collect();
        let owed = [("room_state", Value::Null), ("ack", json!("q")), ("error", json!("p"))];
        assert_eq!(kinds, owed, "{name}");
        assert_eq!(closed, code, "{name}");
        watcher.expect("broadcast_message").await;
        session.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_writes_what_waits_first() {
    let rooms = Rooms::new(0);
    let mut watcher = rooms.join("watcher").await;
    let (stream, session) = rooms.connect("a");
    watcher.expect("peer_joined").await;
    // The first one is on its way, the second waits.
    for data in ["x".repeat(2 * PIPE), "y".to_owned()] {
        watcher.send(json!({"type": "broadcast", "data": data})).await;
        watcher.send(json!({"type": "ping"})).await;
        watcher.expect("pong").await;
    }
    rooms.0.registry.close(CloseCode::GoingAway);
    let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let mut a = Client { socket, session };
    assert_eq!(a.expect("room_state").await["peers"], json!(["watcher"]));
    for length in [2 * PIPE, 1] {
        assert_eq!(a.expect("broadcast_message").await["data"].as_str().unwrap().len(), length);
    }
    assert_eq!(a.closed().await, 1001);
}
