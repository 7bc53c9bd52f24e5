use super::*;

#[test]
fn what_is_forwarded_is_what_would_be_encoded() {
    let from: PeerId = "a\"b\u{e9}".parse().unwrap();
    let json = r#"{"x": [1.50, "\u00e9"]}"#;
    let (raw, timestamp) = (serde_json::from_str(json).unwrap(), "2030-01-01T00:00:00.000Z");
    let forward = Forward { from: &from, json, timestamp };
    let (from_peer_id, timestamp) = (from.clone(), timestamp.into());
    let signal = WebrtcSignal { from_peer_id, signal: raw, timestamp };
    assert_eq!(forward.signal(), encode(&signal));
    let WebrtcSignal { from_peer_id, signal: data, timestamp } = signal;
    let direct = DirectMessage { from_peer_id, data, timestamp };
    assert_eq!(forward.direct(), encode(&direct));
    let DirectMessage { from_peer_id, data, timestamp } = direct;
    let broadcast = BroadcastMessage { from_peer_id, data, timestamp, seq: Some(7), replayed: false };
    let live = forward.broadcast(7);
    assert_eq!(live, encode(&broadcast));
    assert_eq!(replayed(&live), encode(&BroadcastMessage { replayed: true, ..broadcast }));
}

#[test]
fn writes_the_type_first_and_leaves_out_what_is_not_there() {
    let a: PeerId = "a".parse().unwrap();
    let state = RoomState {
        peers: vec![],
        your_peer_id: a.clone(),
        room_id: None,
        ice_servers: None,
        seq: None,
        epoch: None,
        resume_token: None,
        recovered: None,
        metadata: None,
    };
    assert_eq!(encode(&state), r#"{"type":"room_state","peers":[],"your_peer_id":"a"}"#);
    assert_eq!(encode(&Pong {}), r#"{"type":"pong"}"#);
    let left = PeerLeft { peer_id: a, timestamp: "t".into(), total_peers: 0, reason: Some(LeaveReason::Left) };
    let json = r#"{"type":"peer_left","peer_id":"a","timestamp":"t","total_peers":0,"reason":"left"}"#;
    assert_eq!(encode(&left), json);
}

#[test]
fn ignores_what_it_does_not_know() {
    assert!(matches!(ServerMessage::parse(r#"{"type":"later","x":1}"#), Ok(ServerMessage::Unknown(_))));
    let left = r#"{"type":"peer_left","peer_id":"a","timestamp":"t","total_peers":0,"reason":"bored","x":1}"#;
    let Ok(ServerMessage::PeerLeft(left)) = ServerMessage::parse(left) else { panic!("not parsed") };
    assert_eq!(left.reason, Some(LeaveReason::Unknown));
}
