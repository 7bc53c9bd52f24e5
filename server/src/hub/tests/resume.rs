//! Who loses its connection, and comes back.

use std::time::Duration;

use grtc_protocol::limits::{RESUME_FRAMES, RESUME_IDS};

use super::*;

impl Script {
    /// Joins and asks to be able to come back; gives the token.
    pub(super) fn ask_resume(&mut self, name: &str) -> String {
        self.ask(name, Asks { resume: true, ..Asks::default() }).unwrap();
        self.token(name)
    }

    /// The token of the `room_state` that it got first, and which stays unread.
    pub(super) fn token(&self, name: &str) -> String {
        self.told[name].0.borrow()[0]["resume_token"].as_str().unwrap().to_owned()
    }

    pub(super) fn come_back(&mut self, name: &str, token: &str, received: u64) -> Result<(), CloseCode> {
        let back = Some(Back { token: Token::parse(token), received });
        self.ask(name, Asks { resume: true, back, ..Asks::default() })
    }

    pub(super) fn lose(&mut self, name: &str) {
        self.room.lose(&self.places[name], self.now);
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.room.tick(self.now);
    }

    pub(super) fn broadcast(&mut self, name: &str, data: &Value) {
        self.send(name, &json!({"type": "broadcast", "data": data})).unwrap();
    }

    fn types(&mut self, name: &str) -> Vec<String> {
        self.got(name).iter().map(|frame| frame["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// `a`, who may come back, and `b`, who has not asked for it; and the token of `a`.
pub(super) fn two() -> (Script, String) {
    let mut room = Script::new();
    let token = room.ask_resume("a");
    room.join("b").unwrap();
    room.forget();
    (room, token)
}

#[test]
fn who_comes_back_gets_all_that_it_missed_and_nobody_sees_it_leave() {
    let (mut room, token) = two();
    room.broadcast("b", &json!(1));
    room.lose("a");
    assert_eq!((room.room.len(), room.room.away()), (2, 1));
    let away = json!({"type": "peer_away", "peer_id": "a", "timestamp": NOW});
    assert_eq!(room.got("b"), [away]);
    room.broadcast("b", &json!(2));
    room.send("b", &json!({"type": "message", "target_peer_id": "a", "data": 3})).unwrap();
    room.come_back("a", &token, 1).unwrap();
    let told = room.got("a");
    assert_eq!((&told[0]["recovered"], &told[0]["peers"], &told[0]["seq"]), (&json!(true), &json!(["b"]), &json!(2)));
    assert!(told[0]["resume_token"].as_str().is_some_and(|fresh| fresh.len() == 32 && fresh != token));
    let rest: Vec<_> = told[1..].iter().map(|frame| (frame["type"].as_str().unwrap(), frame["data"].clone())).collect();
    assert_eq!(rest, [("broadcast_message", json!(1)), ("broadcast_message", json!(2)), ("direct_message", json!(3))]);
    let back = json!({"type": "peer_back", "peer_id": "a", "timestamp": NOW});
    assert_eq!(room.got("b"), [back]);
    assert_eq!(room.room.away(), 0);
}

#[test]
fn who_has_not_asked_leaves_as_ever() {
    let (mut room, _) = two();
    room.lose("b");
    assert_eq!(room.types("a"), ["peer_left"]);
    assert_eq!(room.room.len(), 1);
}

#[test]
fn a_place_is_kept_for_the_grace_and_no_longer() {
    let (mut room, token) = two();
    room.lose("a");
    room.forget();
    room.pass(RESUME_GRACE - Duration::from_millis(1));
    assert_eq!(room.got("b"), Vec::<Value>::new());
    room.pass(Duration::from_millis(1));
    let left = room.got("b");
    assert_eq!((&left[0]["type"], &left[0]["reason"], left.len()), (&json!("peer_left"), &json!("lost"), 1));
    room.come_back("a", &token, 0).unwrap();
    assert_eq!(room.got("a")[0]["recovered"], false);
    assert_eq!(room.types("b"), ["peer_joined"]);
}

#[test]
fn who_is_late_is_late_even_if_nobody_has_looked_yet() {
    let (mut room, token) = two();
    room.lose("a");
    room.forget();
    room.now += RESUME_GRACE;
    room.come_back("a", &token, 0).unwrap();
    assert_eq!(room.got("a")[0]["recovered"], false);
    assert_eq!(room.types("b"), ["peer_left", "peer_joined"]);
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_late() {
    let (mut room, _) = two();
    room.lose("a");
    room.now -= Duration::from_secs(3_600);
    room.pass(Duration::ZERO);
    room.pass(RESUME_GRACE - Duration::from_millis(1));
    assert_eq!(room.room.away(), 1);
    room.pass(Duration::from_millis(1));
    assert_eq!(room.room.len(), 1);
}

#[test]
fn a_room_whose_peers_are_all_away_goes_on_until_they_are_late() {
    let mut room = Script::new();
    room.ask_resume("a");
    room.lose("a");
    room.pass(RESUME_GRACE - Duration::from_millis(1));
    assert!(!room.room.is_over(room.now));
    room.pass(Duration::from_millis(1));
    assert!(room.room.is_over(room.now + EMPTY_ROOM));
}

#[test]
fn a_wrong_token_is_a_stranger() {
    let (mut room, token) = two();
    let other = room.ask_resume("c");
    for away in [false, true] {
        if away {
            room.lose("a");
        }
        room.forget();
        for wrong in ["", "x", &other, &token.replace(|c: char| c.is_ascii_digit(), "f")] {
            assert!(wrong == token || room.come_back("a", wrong, 0) == Err(CloseCode::PeerIdTaken), "{wrong}");
        }
        assert_eq!(room.join("a"), Err(CloseCode::PeerIdTaken));
        assert_eq!(room.come_back("b", &token, 0), Err(CloseCode::PeerIdTaken), "a session is that of one peer");
        assert_eq!(room.got("b"), Vec::<Value>::new());
    }
    room.come_back("a", &token, 1).unwrap();
}

#[test]
fn the_place_is_given_from_a_connection_that_still_lives() {
    let (mut room, token) = two();
    let (old, told) = (room.places["a"].clone(), room.told["a"].clone());
    room.come_back("a", &token, 1).unwrap();
    assert_eq!(*told.1.borrow(), Some(CloseCode::Replaced));
    assert_eq!(room.got("b"), Vec::<Value>::new(), "nobody was told that it was away");
    // What the old connection still does is nobody's business.
    let ping = grtc_protocol::client::Frame::parse(r#"{"type":"broadcast","data":1}"#).unwrap();
    room.room.send(&old, None, &ping.message, room.now).unwrap();
    room.room.answer(&old, "{}".into());
    room.room.lose(&old, room.now);
    room.room.leave(&old, LeaveReason::Replaced, room.now);
    assert_eq!((room.room.len(), room.room.away()), (2, 0));
    assert_eq!(room.got("b"), Vec::<Value>::new());
    assert_eq!(room.types("a"), ["room_state"]);
}

#[test]
fn who_missed_more_than_is_kept_is_told_and_begins_anew() {
    for (missed, whole) in [(RESUME_FRAMES, true), (RESUME_FRAMES + 1, false)] {
        let (mut room, token) = two();
        room.lose("a");
        (0..missed).for_each(|n| room.broadcast("b", &json!(n)));
        room.forget();
        room.come_back("a", &token, 1).unwrap();
        let told = room.got("a");
        assert_eq!((&told[0]["recovered"], told.len()), (&json!(whole), if whole { missed + 1 } else { 1 }));
        let seen = if whole { &["peer_back"][..] } else { &["peer_left", "peer_joined"] };
        assert_eq!(room.types("b"), seen);
    }
    // A count that can't be is no count.
    let (mut room, token) = two();
    room.come_back("a", &token, 2).unwrap();
    assert_eq!(room.got("a")[0]["recovered"], false);
    assert_eq!(room.got("b")[0]["reason"], "expired");
}

#[test]
fn who_got_no_answer_comes_back_again_with_what_it_has() {
    let (mut room, token) = two();
    room.lose("a");
    room.broadcast("b", &json!(1));
    for n in 2..4 {
        room.come_back("a", &token, 1).unwrap();
        assert_eq!(room.come_back("a", &token, 1), Err(CloseCode::PeerIdTaken), "while it is there it may have got it");
        room.broadcast("b", &json!(n));
        room.lose("a");
    }
    room.come_back("a", &token, 1).unwrap();
    let missed: Vec<_> = room.told["a"].0.borrow()[1..].iter().map(|frame| frame["data"].clone()).collect();
    assert_eq!(missed, [json!(1), json!(2), json!(3)]);
    // Once it is known to have the new one, the old one is worth nothing.
    let fresh = room.token("a");
    room.room.confirm(&room.places["a"].clone());
    room.lose("a");
    assert_eq!(room.come_back("a", &token, 1), Err(CloseCode::PeerIdTaken));
    room.come_back("a", &fresh, 3).unwrap();
    assert_eq!(room.got("a")[0]["recovered"], true);
}

#[test]
fn what_is_sent_again_is_not_delivered_again() {
    let (mut room, token) = two();
    let message = |id: usize| json!({"type": "broadcast", "data": id, "id": id.to_string()});
    let nobody = json!({"type": "message", "target_peer_id": "c", "data": 1, "id": "n"});
    room.send("a", &nobody).unwrap_err();
    room.send("a", &nobody).unwrap_err();
    (0..RESUME_IDS).for_each(|id| room.send("a", &message(id)).unwrap());
    room.lose("a");
    room.come_back("a", &token, 1).unwrap();
    room.forget();
    (0..RESUME_IDS).for_each(|id| room.send("a", &message(id)).unwrap());
    assert_eq!(room.got("b"), Vec::<Value>::new());
    room.send("a", &message(RESUME_IDS)).unwrap();
    room.send("a", &message(0)).unwrap();
    assert_eq!(room.got("b").len(), 2, "the oldest is forgotten");
    // Who has not asked sends what it likes, as often as it likes.
    room.send("b", &message(0)).unwrap();
    room.send("b", &message(0)).unwrap();
    assert_eq!(room.got("a").len(), 2);
}

#[test]
fn answers_are_counted_and_missed_like_all_else() {
    let (mut room, token) = two();
    room.room.answer(&room.places["a"].clone(), r#"{"type":"pong"}"#.into());
    assert_eq!(room.types("a"), ["pong"]);
    room.come_back("a", &token, 1).unwrap();
    assert_eq!(room.types("a"), ["room_state", "pong"]);
}

#[test]
fn who_joined_meanwhile_was_not_told_and_is_not_told() {
    let (mut room, token) = two();
    room.lose("a");
    room.join("c").unwrap();
    assert_eq!(room.got("c")[0]["peers"], json!(["a", "b"]));
    room.come_back("a", &token, 1).unwrap();
    assert_eq!((room.types("c"), room.types("b").last().unwrap().as_str()), (vec![], "peer_back"));
}
