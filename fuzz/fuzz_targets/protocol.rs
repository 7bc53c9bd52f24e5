//! Frames and names. What a client sends arrives at the others with its bytes unchanged.
#![no_main]

use grtc_protocol::{
    PeerId, RoomId,
    client::{ClientMessage, Frame},
    id::normalize,
    server::{Forward, ServerMessage},
    signal::Signal,
    text,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(frame) = Frame::parse(text) {
        forwarded(&frame.message);
    }
    let _ = ServerMessage::parse(text);
    let _ = serde_json::from_str::<Signal>(text);
    if let Ok(id) = text.parse::<PeerId>() {
        assert_eq!(id.as_str().parse().as_ref(), Ok(&id));
        assert_eq!(normalize(id.as_str()), id.as_str());
        assert!(text::hidden(id.as_str()).next().is_none() && !text::is_blank(id.as_str()));
    }
    if let Ok(id) = text.parse::<RoomId>() {
        assert_eq!(id.as_str().parse().as_ref(), Ok(&id));
    }
});

fn forwarded(message: &ClientMessage<'_>) {
    let from: PeerId = "a\"é".parse().expect("it is a name");
    let forward = |json| Forward { from: &from, json, timestamp: "2026-01-01T00:00:00Z" };
    let (sent, text) = match message {
        ClientMessage::Signal { signal, .. } => (signal, forward(signal).signal()),
        ClientMessage::Direct { data, .. } => (data, forward(data).direct()),
        ClientMessage::Broadcast { data } => (data, forward(data).broadcast(7)),
        ClientMessage::Metadata { .. }
        | ClientMessage::Auth { .. }
        | ClientMessage::Report(_)
        | ClientMessage::IceServers
        | ClientMessage::Leave
        | ClientMessage::Ping => {
            return;
        }
    };
    let (sender, received) = match ServerMessage::parse(&text) {
        Ok(ServerMessage::WebrtcSignal(message)) => (message.from_peer_id, message.signal),
        Ok(ServerMessage::DirectMessage(message)) => (message.from_peer_id, message.data),
        Ok(ServerMessage::BroadcastMessage(message)) => (message.from_peer_id, message.data),
        other => panic!("{text} is read as {other:?}"),
    };
    assert_eq!((sender, received.get()), (from, sent.trim()));
}
