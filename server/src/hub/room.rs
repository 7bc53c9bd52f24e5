//! One room: a state machine. It is told what happens and when, tells its members what follows from it, and says itself
//! when it is over.

use std::{io::Write as _, time::Duration};

use grtc_protocol::{
    CloseCode, PeerId, RoomId,
    client::ClientMessage,
    limits::ROOM_PEERS,
    server::{ErrorCode, Forward, LeaveReason, PeerJoined, PeerLeft, RoomState},
};
use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::notice::{Frame, Notice};

/// How long a room that nobody is in goes on: who was alone in it and comes right back (a page that is loaded anew) finds
/// its broadcasts numbered on. Short, since every name that was joined is held for as long.
pub(crate) const EMPTY_ROOM: Duration = Duration::from_secs(2);

/// A way to somebody in a room, here or elsewhere.
pub(crate) trait Member {
    /// Hands a frame over. A room never waits: who can't take it is gone.
    fn deliver(&self, frame: &Frame<'_>);
}

/// A room whose members are reached through `M`.
pub(crate) struct Room<M> {
    id: RoomId,
    members: IndexMap<PeerId, M>,
    broadcasts: u64,
    /// Since when nobody is in it.
    empty_since: Option<Timestamp>,
}

impl<M: Member> Room<M> {
    pub(crate) fn new(id: RoomId) -> Self {
        Self { id, members: IndexMap::new(), broadcasts: 0, empty_since: None }
    }

    pub(crate) fn id(&self) -> &RoomId {
        &self.id
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.members.keys().cloned().collect()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &M> {
        self.members.values()
    }

    /// Takes a peer in: it is told who is there and its `ice_servers`, the others that it came.
    ///
    /// # Errors
    /// The code that its connection ends with, when it can't be taken in. Nothing has changed then.
    pub(crate) fn join(
        &mut self,
        peer: PeerId,
        member: M,
        ice_servers: &RawValue,
        now: Timestamp,
    ) -> Result<(), CloseCode> {
        if self.members.contains_key(&peer) {
            return Err(CloseCode::PeerIdTaken);
        }
        if self.members.len() >= ROOM_PEERS {
            return Err(CloseCode::RoomFull);
        }
        let state = Notice::RoomState(RoomState {
            peers: self.peers(),
            your_peer_id: peer.clone(),
            room_id: Some(self.id.clone()),
            ice_servers: Some(ice_servers),
        });
        member.deliver(&Frame::new(state));
        let stamp = Stamp::new(now);
        let total_peers = self.members.len() + 1;
        let joined = PeerJoined { peer_id: peer.clone(), timestamp: stamp.text().into(), total_peers };
        self.tell(Notice::Joined(joined), |_| true);
        self.members.insert(peer, member);
        self.empty_since = None;
        Ok(())
    }

    /// Sends a member's message to whom it is for.
    ///
    /// # Errors
    /// The code and the sentence of the `error` that the sender gets, when it reached nobody.
    pub(crate) fn send(
        &mut self,
        from: &PeerId,
        message: &ClientMessage<'_>,
        now: Timestamp,
    ) -> Result<(), (ErrorCode, String)> {
        let stamp = Stamp::new(now);
        let forward = |json| Forward { from, json, timestamp: stamp.text() };
        match message {
            ClientMessage::Signal { target, signal } => self.tell_one(target, Notice::Signal(forward(signal))),
            ClientMessage::Direct { target, data } => self.tell_one(target, Notice::Direct(forward(data))),
            ClientMessage::Broadcast { data } => {
                self.broadcasts += 1;
                self.tell(Notice::Broadcast(forward(data), self.broadcasts), |peer| peer != from);
                Ok(())
            }
            ClientMessage::Leave | ClientMessage::Ping => Ok(()),
        }
    }

    /// A member is gone: the others are told why. One that is not here has left already.
    pub(crate) fn leave(&mut self, peer: &PeerId, reason: LeaveReason, now: Timestamp) {
        // The order of the others is kept: a roster is in the order of joining.
        if self.members.shift_remove(peer).is_none() {
            return;
        }
        let (stamp, total_peers) = (Stamp::new(now), self.members.len());
        let timestamp = stamp.text().into();
        let left = PeerLeft { peer_id: peer.clone(), timestamp, total_peers, reason: Some(reason) };
        self.tell(Notice::Left(left), |_| true);
        self.empty_since = self.members.is_empty().then_some(now);
    }

    /// Whether the room is over at `now`. A clock that was set back is no reason to stay.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.empty_since.is_some_and(|since| {
            Duration::try_from(now.duration_since(since)).map_or(true, |empty| empty >= EMPTY_ROOM)
        })
    }

    fn tell_one(&self, target: &str, notice: Notice<'_>) -> Result<(), (ErrorCode, String)> {
        let Some(member) = self.members.get(target) else {
            // The name may be anything: Debug escapes it.
            return Err((ErrorCode::PeerNotFound, format!("no peer {target:?} in this room")));
        };
        member.deliver(&Frame::new(notice));
        Ok(())
    }

    /// The same frame for every member that is wanted.
    fn tell(&self, notice: Notice<'_>, wanted: impl Fn(&PeerId) -> bool) {
        let frame = Frame::new(notice);
        self.members.iter().filter(|(peer, _)| wanted(peer)).for_each(|(_, member)| member.deliver(&frame));
    }
}

/// A time as frames have it, RFC 3339 with milliseconds, on the stack.
struct Stamp([u8; 32], usize);

impl Stamp {
    fn new(time: Timestamp) -> Self {
        let mut text = [0; 32];
        let mut rest = &mut text[..];
        let _ = write!(rest, "{time:.3}");
        let length = 32 - rest.len();
        Self(text, length)
    }

    fn text(&self) -> &str {
        self.0.get(..self.1).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}
