//! A room, as its members see it.

mod late;
mod resume;
mod views;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use proptest::prelude::*;
use serde_json::{Value, json};

use grtc_protocol::{
    CloseCode,
    limits::{KEPT_BYTES, RESUME_GRACE},
    server::{ErrorCode, LeaveReason},
};
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::auth::Caller;

use super::{
    Text,
    caps::{Caps, Places},
    notice::Frame,
    pool::Pool,
    room::{Asks, Back, EMPTY_ROOM, Member, Newcomer, Place, Room},
    token::Token,
};

const NOW: &str = "2030-01-01T00:00:00.000Z";

/// A member that keeps what it is told.
#[derive(Clone, Default)]
struct Told(Rc<RefCell<Vec<Value>>>, Rc<RefCell<Option<CloseCode>>>);

impl Member for Told {
    fn deliver(&self, frame: &Frame<'_>) {
        self.replay(frame.text());
    }

    fn replay(&self, text: Text) {
        self.0.borrow_mut().push(serde_json::from_str(&text).unwrap());
    }

    fn queued(&self) -> usize {
        0
    }

    fn close(&self, code: CloseCode) {
        *self.1.borrow_mut() = Some(code);
    }
}

/// A room, and what everybody in it was told.
struct Script {
    room: Room<Told>,
    now: Timestamp,
    told: BTreeMap<String, Told>,
    places: BTreeMap<String, Place>,
}

impl Script {
    fn new() -> Self {
        Self::keeping(Pool::new(KEPT_BYTES))
    }

    fn keeping(pool: Pool) -> Self {
        Self::with(pool, Caps::none())
    }

    fn with(pool: Pool, caps: Caps) -> Self {
        let room = Room::new("r".parse().unwrap(), 0xab, RESUME_GRACE, pool, caps);
        Self { room, now: NOW.parse().unwrap(), told: BTreeMap::new(), places: BTreeMap::new() }
    }

    fn join(&mut self, name: &str) -> Result<(), CloseCode> {
        self.ask(name, Asks::default())
    }

    /// Joins by a new connection. What the last one was told is forgotten, unless it is still the one.
    fn ask(&mut self, name: &str, asks: Asks) -> Result<(), CloseCode> {
        self.ask_as(name, asks, None)
    }

    fn ask_as(&mut self, name: &str, asks: Asks, sub: Option<&str>) -> Result<(), CloseCode> {
        let bearer = sub.map(|sub| Arc::new(Caller::named(sub)));
        let ice_servers = serde_json::from_str::<&RawValue>("[]").unwrap();
        let (member, token) = (Told::default(), asks.resume.then(|| Token::new().unwrap()));
        let newcomer =
            Newcomer { peer: name.parse().unwrap(), member: member.clone(), token, asks, ice_servers, bearer };
        let place = self.room.join(newcomer, self.now)?;
        self.told.insert(name.to_owned(), member);
        self.places.insert(name.to_owned(), place);
        Ok(())
    }

    fn leave(&mut self, name: &str, reason: LeaveReason) {
        if let Some(place) = self.places.get(name) {
            self.room.leave(place, reason, self.now);
        }
    }

    fn send(&mut self, name: &str, message: &Value) -> Result<(), (ErrorCode, String)> {
        let text = message.to_string();
        let frame = grtc_protocol::client::Frame::parse(&text).unwrap();
        self.room.send(&self.places[name], frame.id.as_deref(), &frame.message, self.now).map(drop)
    }

    fn got(&mut self, name: &str) -> Vec<Value> {
        self.told.get(name).map(|told| told.0.take()).unwrap_or_default()
    }

    fn forget(&mut self) {
        self.told.values().for_each(|told| drop(told.0.take()));
    }
}

#[test]
fn a_newcomer_learns_the_roster_and_the_others_learn_of_it() {
    let mut room = Script::new();
    room.join("a").unwrap();
    room.join("b").unwrap();
    let state = json!({
        "type": "room_state", "peers": ["a"], "your_peer_id": "b", "room_id": "r", "ice_servers": [], "seq": 0,
        "epoch": "00000000000000ab",
    });
    assert_eq!(room.got("b"), [state]);
    assert_eq!(room.got("a")[1], json!({"type": "peer_joined", "peer_id": "b", "timestamp": NOW, "total_peers": 2}));
}

#[test]
fn a_live_id_is_not_taken_over_and_a_full_room_says_so() {
    let mut room = Script::with(Pool::new(KEPT_BYTES), Caps { room_peers: 3, ..Caps::none() });
    room.join("0").unwrap();
    assert_eq!(room.join("0"), Err(CloseCode::PeerIdTaken));
    for n in 1..3 {
        room.join(&n.to_string()).unwrap();
    }
    assert_eq!(room.join("one too many"), Err(CloseCode::RoomFull));
    assert_eq!(room.room.len(), 3);
}

#[test]
fn a_sub_has_so_many_places_and_one_that_it_comes_back_to_is_no_further_one() {
    let mut room = Script::with(Pool::new(KEPT_BYTES), Caps { places: Places::new(2), ..Caps::none() });
    let (asks, ann) = (|| Asks { resume: true, ..Asks::default() }, Some("ann"));
    room.ask_as("a", asks(), ann).unwrap();
    room.ask_as("b", asks(), ann).unwrap();
    assert_eq!(room.ask_as("c", asks(), ann), Err(CloseCode::RateLimit));
    assert_eq!(room.ask_as("c", Asks::default(), Some("bob")), Ok(()));
    let state = room.got("b").swap_remove(0);
    let token = Token::parse(state["resume_token"].as_str().unwrap());
    room.room.lose(&room.places["b"], room.now);
    assert_eq!(room.ask_as("d", asks(), ann), Err(CloseCode::RateLimit), "who is away holds its place");
    let back = || Asks { back: Some(Back { token, received: 1 }), ..asks() };
    assert_eq!(room.ask_as("b", back(), Some("bob")), Err(CloseCode::PeerIdTaken), "a place is one person's");
    room.ask_as("b", back(), ann).unwrap();
    assert_eq!(room.got("b")[0]["recovered"], true);
    room.leave("a", LeaveReason::Left);
    room.ask_as("d", asks(), ann).unwrap();
}

#[test]
fn a_signal_reaches_its_target_unchanged_under_the_senders_true_name() {
    let mut room = Script::new();
    for name in ["a", "b", "c"] {
        room.join(name).unwrap();
    }
    room.forget();
    let signal = json!({"type": "offer", "target_peer_id": "b", "offer": {"sdp": "x"}, "from_peer_id": "z", "y": 1});
    room.send("a", &signal).unwrap();
    let expected = json!({"type": "webrtc_signal", "from_peer_id": "a", "signal": signal, "timestamp": NOW});
    assert_eq!(room.got("b"), [expected]);
    assert_eq!(room.got("c"), Vec::<Value>::new());
}

#[test]
fn a_message_to_nobody_is_refused() {
    let mut room = Script::new();
    room.join("a").unwrap();
    let answer = room.send("a", &json!({"type": "message", "target_peer_id": "\u{1b}x", "data": 1}));
    let Err((ErrorCode::PeerNotFound, text)) = answer else { panic!("{answer:?}") };
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn broadcasts_are_numbered_and_do_not_come_back() {
    let mut room = Script::new();
    room.join("a").unwrap();
    room.join("b").unwrap();
    room.forget();
    for n in 1..=2 {
        room.send("a", &json!({"type": "broadcast", "data": n})).unwrap();
    }
    assert_eq!(room.got("a"), Vec::<Value>::new());
    let seqs: Vec<_> = room.got("b").iter().map(|m| (m["seq"].clone(), m["data"].clone())).collect();
    assert_eq!(seqs, [(json!(1), json!(1)), (json!(2), json!(2))]);
}

#[test]
fn an_empty_room_goes_on_for_a_moment_and_its_numbers_with_it() {
    let mut room = Script::new();
    room.join("a").unwrap();
    room.send("a", &json!({"type": "broadcast", "data": 1})).unwrap();
    room.leave("a", LeaveReason::Left);
    let (left, over) = (room.now, room.now + EMPTY_ROOM);
    assert!(!room.room.is_over(left) && room.room.is_over(over));
    assert!(room.room.is_over(left - EMPTY_ROOM), "the clock was set back");
    room.join("a").unwrap();
    room.join("b").unwrap();
    assert!(!room.room.is_over(over));
    room.forget();
    room.send("a", &json!({"type": "broadcast", "data": 2})).unwrap();
    assert_eq!(room.got("b")[0]["seq"], 2);
}

proptest! {
    /// Whatever comes and goes, everybody's picture of the room, built from its frames alone, is the room.
    #[test]
    fn everybody_can_follow_the_roster(steps in prop::collection::vec((0_u8..6, any::<bool>()), 0..60)) {
        let mut room = Script::new();
        for (n, join) in steps {
            let name = n.to_string();
            if join {
                let _ = room.join(&name);
            } else {
                room.leave(&name, LeaveReason::Lost);
                room.got(&name);
            }
        }
        let members: Vec<String> = room.room.peers().iter().map(ToString::to_string).collect();
        for me in &members {
            let mut seen: Vec<String> = Vec::new();
            for frame in room.got(me) {
                match frame["type"].as_str().unwrap() {
                    "room_state" => seen = serde_json::from_value(frame["peers"].clone()).unwrap(),
                    "peer_joined" => seen.push(frame["peer_id"].as_str().unwrap().to_owned()),
                    _ => {
                        let before = seen.len();
                        seen.retain(|peer| frame["peer_id"] != peer.as_str());
                        prop_assert_eq!(seen.len(), before - 1);
                    }
                }
            }
            seen.push(me.clone());
            seen.sort();
            let mut sorted = members.clone();
            sorted.sort();
            prop_assert_eq!(&seen, &sorted);
        }
    }
}
