//! What those find who come later: the last broadcasts, and what the others have said about themselves.

use grtc_protocol::limits::{HISTORY, HISTORY_BYTES, METADATA_BYTES, ROOM_METADATA_BYTES};

use super::{resume::two, *};

#[test]
fn a_history_follows_the_room_state_of_who_asks() {
    let mut room = Script::new();
    room.join("a").unwrap();
    room.broadcast("a", &json!("before anybody asked"));
    room.ask_resume("b");
    (1..=3).for_each(|n| room.broadcast("a", &json!(n)));
    room.ask("c", Asks { history: 2, ..Asks::default() }).unwrap();
    let told = room.got("c");
    let history: Vec<_> =
        told[1..].iter().map(|m| (m["seq"].clone(), m["data"].clone(), m["replayed"].clone())).collect();
    assert_eq!(history, [(json!(3), json!(2), json!(true)), (json!(4), json!(3), json!(true))]);
    assert_eq!(told[0]["seq"], 4);
    room.ask("d", Asks { history: HISTORY, ..Asks::default() }).unwrap();
    assert_eq!(room.got("d").len(), 4);
    (0..=HISTORY).for_each(|n| room.broadcast("a", &json!(n)));
    room.ask("e", Asks { history: HISTORY, ..Asks::default() }).unwrap();
    assert_eq!(room.got("e").len(), 1 + HISTORY);
    let long = "x".repeat(HISTORY_BYTES / 4);
    (0..9).for_each(|_| room.broadcast("a", &json!(long)));
    room.ask("f", Asks { history: HISTORY, ..Asks::default() }).unwrap();
    assert_eq!(room.got("f").len(), 4);
}

#[test]
fn metadata_is_told_to_the_others_and_to_who_comes_later() {
    let (mut room, token) = two();
    let say = |data: &Value| json!({"type": "metadata", "metadata": data});
    room.send("a", &say(&json!({"name": "A"}))).unwrap();
    room.send("a", &say(&json!({"name": "Ann"}))).unwrap();
    let told = room.got("b");
    let updated = json!({"type": "peer_updated", "peer_id": "a", "metadata": {"name": "Ann"}, "timestamp": NOW});
    assert_eq!((told.len(), &told[1]), (2, &updated));
    assert_eq!(room.got("a"), Vec::<Value>::new());
    room.lose("a");
    room.join("c").unwrap();
    assert_eq!(room.got("c")[0]["metadata"], json!({"a": {"name": "Ann"}}));
    room.come_back("a", &token, 1).unwrap();
    assert_eq!(room.got("a")[0]["metadata"], Value::Null, "its own it knows");
    room.leave("a", LeaveReason::Left);
    room.join("d").unwrap();
    assert_eq!(room.got("d")[0]["metadata"], Value::Null);
}

#[test]
fn the_metadata_of_a_room_is_bounded() {
    let mut room = Script::new();
    let long = json!({"type": "metadata", "metadata": {"x": "x".repeat(METADATA_BYTES - 8)}});
    for n in 0..ROOM_METADATA_BYTES / METADATA_BYTES {
        room.join(&n.to_string()).unwrap();
        room.send(&n.to_string(), &long).unwrap();
    }
    room.send("0", &long).unwrap();
    room.join("one too many").unwrap();
    let refused = room.send("one too many", &long);
    assert!(matches!(refused, Err((ErrorCode::BadField, _))), "{refused:?}");
}
