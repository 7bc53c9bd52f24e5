//! One room: a pure state machine. `apply` takes a command and the time as text, and returns what is to be sent to whom.

use grtc_protocol::{
    CloseCode, PeerId, RoomId,
    client::ClientMessage,
    limits::ROOM_PEERS,
    server::{ErrorCode, Forward, LeaveReason, PeerJoined, PeerLeft, RoomState, encode},
};
use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::Text;

/// A room whose members are reached through `H`: an outbox, or what a test puts in its place.
pub(crate) struct Room<H> {
    id: RoomId,
    ice_servers: Option<Box<RawValue>>,
    members: IndexMap<PeerId, H>,
    broadcasts: u64,
}

/// What somebody does to a room.
pub(crate) enum Command<'a, H> {
    /// A connection that wants to be this peer.
    Join { peer: PeerId, handle: H },
    /// A member is gone.
    Leave { peer: &'a PeerId, reason: LeaveReason },
    /// A member sends something to others.
    Send { from: &'a PeerId, message: &'a ClientMessage<'a> },
}

/// A frame for one member.
pub(crate) struct Effect<H> {
    pub(crate) to: H,
    pub(crate) frame: Text,
}

/// Why a command changed nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The peer can't join; this is how its connection ends.
    Join(CloseCode),
    /// The message reached nobody.
    Message(ErrorCode, String),
}

impl<H: Clone> Room<H> {
    pub(crate) fn new(id: RoomId, ice_servers: Option<Box<RawValue>>) -> Self {
        Self { id, ice_servers, members: IndexMap::new(), broadcasts: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.members.keys().cloned().collect()
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = &H> {
        self.members.values()
    }

    /// Takes a command at `now` (RFC 3339) and says what follows from it.
    ///
    /// # Errors
    /// A [`Refusal`], when the command can't be; nothing has changed then.
    pub(crate) fn apply(&mut self, command: Command<'_, H>, now: &str) -> Result<Vec<Effect<H>>, Refusal> {
        match command {
            Command::Join { peer, handle } => self.join(peer, handle, now).map_err(Refusal::Join),
            Command::Leave { peer, reason } => Ok(self.leave(peer, reason, now)),
            Command::Send { from, message } => {
                let forward = |json| Forward { from, json, timestamp: now };
                match message {
                    ClientMessage::Signal { target, signal } => self.to_one(target, || forward(signal).signal()),
                    ClientMessage::Direct { target, data } => self.to_one(target, || forward(data).direct()),
                    ClientMessage::Broadcast { data } => {
                        self.broadcasts += 1;
                        Ok(self.to_all(|peer| peer != from, || forward(data).broadcast(self.broadcasts)))
                    }
                    ClientMessage::Leave | ClientMessage::Ping => Ok(Vec::new()),
                }
            }
        }
    }

    fn join(&mut self, peer: PeerId, handle: H, now: &str) -> Result<Vec<Effect<H>>, CloseCode> {
        if self.members.contains_key(&peer) {
            return Err(CloseCode::PeerIdTaken);
        }
        if self.members.len() >= ROOM_PEERS {
            return Err(CloseCode::RoomFull);
        }
        let state = encode(&RoomState {
            peers: self.peers(),
            your_peer_id: peer.clone(),
            room_id: Some(self.id.clone()),
            ice_servers: self.ice_servers.as_deref(),
        });
        let mut effects = Vec::with_capacity(self.members.len() + 1);
        effects.push(Effect { to: handle.clone(), frame: state.into() });
        let total_peers = self.members.len() + 1;
        let joined = PeerJoined { peer_id: peer.clone(), timestamp: now.into(), total_peers };
        effects.extend(self.to_all(|_| true, || encode(&joined)));
        self.members.insert(peer, handle);
        Ok(effects)
    }

    fn leave(&mut self, peer: &PeerId, reason: LeaveReason, now: &str) -> Vec<Effect<H>> {
        // The order of the others is kept: a roster is in the order of joining.
        if self.members.shift_remove(peer).is_none() {
            return Vec::new();
        }
        let total_peers = self.members.len();
        let left = PeerLeft { peer_id: peer.clone(), timestamp: now.into(), total_peers, reason: Some(reason) };
        self.to_all(|_| true, || encode(&left))
    }

    fn to_one(&self, target: &str, frame: impl FnOnce() -> String) -> Result<Vec<Effect<H>>, Refusal> {
        let Some(handle) = self.members.get(target) else {
            // The name may be anything: Debug escapes it.
            let message = format!("no peer {target:?} in this room");
            return Err(Refusal::Message(ErrorCode::PeerNotFound, message));
        };
        Ok(vec![Effect { to: handle.clone(), frame: frame().into() }])
    }

    /// The same frame, made once, for every member that is wanted.
    fn to_all(&self, wanted: impl Fn(&PeerId) -> bool, frame: impl FnOnce() -> String) -> Vec<Effect<H>> {
        let mut members = self.members.iter().filter(|(peer, _)| wanted(peer)).map(|(_, handle)| handle).peekable();
        if members.peek().is_none() {
            return Vec::new();
        }
        let frame = Text::from(frame());
        members.map(|handle| Effect { to: handle.clone(), frame: frame.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use grtc_protocol::client::Frame;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const NOW: &str = "2030-01-01T00:00:00Z";

    /// A room whose members are their own names, and what each of them got.
    struct Script {
        room: Room<String>,
        got: BTreeMap<String, Vec<Value>>,
    }

    impl Script {
        fn new() -> Self {
            Self { room: Room::new("r".parse().unwrap(), None), got: BTreeMap::new() }
        }

        fn deliver(&mut self, result: Result<Vec<Effect<String>>, Refusal>) -> Result<(), Refusal> {
            for Effect { to, frame } in result? {
                self.got.entry(to).or_default().push(serde_json::from_str(&frame).unwrap());
            }
            Ok(())
        }

        fn join(&mut self, name: &str) -> Result<(), Refusal> {
            let peer = name.parse().unwrap();
            let result = self.room.apply(Command::Join { peer, handle: name.to_owned() }, NOW);
            self.deliver(result)
        }

        fn leave(&mut self, name: &str, reason: LeaveReason) {
            let peer = name.parse().unwrap();
            let result = self.room.apply(Command::Leave { peer: &peer, reason }, NOW);
            self.deliver(result).unwrap();
        }

        fn send(&mut self, name: &str, message: &Value) -> Result<(), Refusal> {
            let (from, text) = (name.parse().unwrap(), message.to_string());
            let frame = Frame::parse(&text).unwrap();
            let result = self.room.apply(Command::Send { from: &from, message: &frame.message }, NOW);
            self.deliver(result)
        }

        fn got(&mut self, name: &str) -> Vec<Value> {
            self.got.remove(name).unwrap_or_default()
        }
    }

    #[test]
    fn a_newcomer_learns_the_roster_and_the_others_learn_of_it() {
        let mut room = Script::new();
        room.join("a").unwrap();
        room.join("b").unwrap();
        assert_eq!(room.got("b"), [json!({"type": "room_state", "peers": ["a"], "your_peer_id": "b", "room_id": "r"})]);
        assert_eq!(
            room.got("a")[1],
            json!({"type": "peer_joined", "peer_id": "b", "timestamp": NOW, "total_peers": 2})
        );
    }

    #[test]
    fn a_live_id_is_not_taken_over_and_a_full_room_says_so() {
        let mut room = Script::new();
        room.join("0").unwrap();
        assert_eq!(room.join("0"), Err(Refusal::Join(CloseCode::PeerIdTaken)));
        for n in 1..ROOM_PEERS {
            room.join(&n.to_string()).unwrap();
        }
        assert_eq!(room.join("one too many"), Err(Refusal::Join(CloseCode::RoomFull)));
        assert_eq!(room.room.len(), ROOM_PEERS);
    }

    #[test]
    fn a_signal_reaches_its_target_unchanged_under_the_senders_true_name() {
        let mut room = Script::new();
        for name in ["a", "b", "c"] {
            room.join(name).unwrap();
        }
        room.got.clear();
        let signal =
            json!({"type": "offer", "target_peer_id": "b", "offer": {"sdp": "x"}, "from_peer_id": "z", "y": 1});
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
        let Err(Refusal::Message(ErrorCode::PeerNotFound, text)) = answer else { panic!("{answer:?}") };
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn broadcasts_are_numbered_and_do_not_come_back() {
        let mut room = Script::new();
        room.join("a").unwrap();
        room.join("b").unwrap();
        room.got.clear();
        for n in 1..=2 {
            room.send("a", &json!({"type": "broadcast", "data": n})).unwrap();
        }
        assert_eq!(room.got("a"), Vec::<Value>::new());
        let seqs: Vec<_> = room.got("b").iter().map(|m| (m["seq"].clone(), m["data"].clone())).collect();
        assert_eq!(seqs, [(json!(1), json!(1)), (json!(2), json!(2))]);
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
}
