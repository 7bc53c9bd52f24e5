//! One room: a state machine. It is told what happens and when, tells its members what follows from it, and says itself
//! when it is over.

mod administration;
mod kept;
mod member;
mod resume;
mod seat;
mod view;

use std::{collections::BTreeMap, io::Write as _, time::Duration};

use grtc_protocol::{
    CloseCode, PeerId, RoomId,
    client::ClientMessage,
    limits::{HISTORY, HISTORY_BYTES, ROOM_METADATA_BYTES},
    server::{ErrorCode, Forward, LeaveReason, PeerJoined, PeerLeft, PeerUpdated, RoomState, replayed},
};
use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::{
    caps::Caps,
    notice::{Frame, Notice},
    pool::Pool,
    token::Token,
};

use self::{
    kept::Kept,
    seat::{Seat, Session},
};

pub(crate) use self::{
    member::{Asks, Back, Member, Newcomer},
    seat::Place,
    view::{PeerView, Traffic},
};

/// How long a room that nobody is in goes on: who was alone in it and comes right back (a page that is loaded anew) finds
/// its broadcasts numbered on. Short, since every name that was joined is held for as long.
pub(crate) const EMPTY_ROOM: Duration = Duration::from_secs(2);

/// A room whose members are reached through `M`.
pub(crate) struct Room<M> {
    id: RoomId,
    /// Names the numbers of its broadcasts: another room, or this one made anew, has another.
    epoch: u64,
    /// How long a place is kept.
    grace: Duration,
    /// Where it keeps what it keeps.
    pool: Pool,
    caps: Caps,
    seats: IndexMap<PeerId, Seat<M>>,
    /// Connections so far.
    links: u64,
    away: usize,
    broadcasts: u64,
    /// The last broadcasts, since somebody asked for them.
    history: Option<Kept>,
    /// Since when nobody is in it.
    empty_since: Option<Timestamp>,
}

impl<M: Member> Room<M> {
    /// A room that nobody is in yet.
    pub(crate) fn new(id: RoomId, epoch: u64, grace: Duration, pool: Pool, caps: Caps) -> Self {
        Self {
            id,
            epoch,
            grace,
            pool,
            caps,
            seats: IndexMap::new(),
            links: 0,
            away: 0,
            broadcasts: 0,
            history: None,
            empty_since: None,
        }
    }

    pub(crate) fn id(&self) -> &RoomId {
        &self.id
    }

    /// How many are in it, those that are away included.
    pub(crate) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.seats.keys().cloned().collect()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &M> {
        self.seats.values().filter_map(|seat| seat.member.as_ref())
    }

    /// Takes a peer in: it is told who is there and its `ice_servers`, the others that it came. Or gives it the place back
    /// that it had, with what it missed.
    ///
    /// # Errors
    /// The code that its connection ends with, when it can't be taken in. Nothing has changed then.
    pub(crate) fn join(&mut self, newcomer: Newcomer<'_, M>, now: Timestamp) -> Result<Place, CloseCode> {
        self.tick(now);
        let Newcomer { peer, member, token, asks, ice_servers, bearer } = match self.come_back(newcomer, now) {
            Ok(place) => return Ok(place),
            Err(newcomer) => newcomer?,
        };
        if self.seats.len() >= self.caps.room_peers {
            return Err(CloseCode::RoomFull);
        }
        let sub = bearer.as_ref().and_then(|caller| caller.sub.as_ref());
        let claim = sub.map(|sub| self.caps.places.claim(sub).ok_or(CloseCode::RateLimit)).transpose()?;
        if token.is_some() || asks.history > 0 {
            self.history.get_or_insert_with(|| Kept::new(HISTORY, HISTORY_BYTES, &self.pool));
        }
        let recovered = asks.back.map(|_| false);
        member.deliver(&Frame::new(Notice::RoomState(self.state(&peer, ice_servers, token, recovered))));
        self.links += 1;
        let (joined, session) = (self.links, token.map(|token| Session::new(token, &self.pool)));
        let mut seat = Seat {
            member: Some(member),
            joined,
            link: joined,
            metadata: None,
            bearer,
            joined_at: now,
            traffic: Traffic::default(),
            session,
            _claim: claim,
        };
        let history = self.history.iter().flat_map(|history| history.last(asks.history));
        history.for_each(|text| seat.replay(replayed(text).into()));
        let stamp = Stamp::new(now);
        let total_peers = self.seats.len() + 1;
        let joined = PeerJoined { peer_id: peer.clone(), timestamp: stamp.text().into(), total_peers };
        self.tell(&Frame::new(Notice::Joined(joined)), |_, _| true);
        let place = Place { peer: peer.clone(), recovered: false, keeps: token.is_some(), link: seat.link };
        self.seats.insert(peer, seat);
        self.empty_since = None;
        Ok(place)
    }

    /// Sends a member's message to whom it is for, and says to how many that is. One of who holds its place no more reaches nobody, and neither does one
    /// whose `id` this member has sent before, if it may come back.
    ///
    /// # Errors
    /// The code and the sentence of the `error` that the sender gets, when it reached nobody.
    pub(crate) fn send(
        &mut self,
        from: &Place,
        id: Option<&str>,
        message: &ClientMessage<'_>,
        now: Timestamp,
    ) -> Result<usize, (ErrorCode, String)> {
        if from.keeps && !self.is_new(from, id) {
            return Ok(0);
        }
        let Some(seat) = self.seat(from) else { return Ok(0) };
        seat.traffic.comes(message);
        let (stamp, sender) = (Stamp::new(now), &from.peer);
        let forward = |json| Forward { from: sender, json, timestamp: stamp.text() };
        let deliveries = match message {
            ClientMessage::Signal { target, signal } => self.tell_one(target, Notice::Signal(forward(signal))),
            ClientMessage::Direct { target, data } => self.tell_one(target, Notice::Direct(forward(data))),
            ClientMessage::Broadcast { data } => {
                self.broadcasts += 1;
                let frame = Frame::new(Notice::Broadcast(forward(data), self.broadcasts));
                if let Some(history) = &mut self.history {
                    history.push(&frame);
                }
                Ok(self.tell(&frame, |peer, _| peer != sender))
            }
            ClientMessage::Metadata { metadata } => self.update(from, metadata, stamp.text()),
            ClientMessage::Auth { .. }
            | ClientMessage::Report(_)
            | ClientMessage::IceServers
            | ClientMessage::Leave
            | ClientMessage::Ping => Ok(0),
        }?;
        if from.keeps {
            self.remember(from, id);
        }
        Ok(deliveries)
    }

    /// A member is gone: the others are told why. One that holds its place no more has left already.
    pub(crate) fn leave(&mut self, place: &Place, reason: LeaveReason, now: Timestamp) {
        if self.seat(place).is_some() {
            self.remove(&place.peer, reason, now);
        }
    }

    fn remove(&mut self, peer: &PeerId, reason: LeaveReason, now: Timestamp) {
        // The order of the others is kept: a roster is in the order of joining.
        let Some(seat) = self.seats.shift_remove(peer) else { return };
        self.away -= usize::from(seat.session.is_some_and(|session| session.away.is_some()));
        let (stamp, total_peers) = (Stamp::new(now), self.seats.len());
        let timestamp = stamp.text().into();
        let left = PeerLeft { peer_id: peer.clone(), timestamp, total_peers, reason: Some(reason) };
        self.tell(&Frame::new(Notice::Left(left)), |_, _| true);
        self.empty_since = self.seats.is_empty().then_some(now);
    }

    /// Whether the room is over at `now`. A clock that was set back is no reason to stay.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.empty_since.is_some_and(|since| {
            Duration::try_from(now.duration_since(since)).map_or(true, |empty| empty >= EMPTY_ROOM)
        })
    }

    /// What `peer` is told about the room.
    fn state<'a>(
        &'a self,
        peer: &PeerId,
        ice_servers: &'a RawValue,
        token: Option<Token>,
        recovered: Option<bool>,
    ) -> RoomState<'a> {
        let others = || self.seats.iter().filter(|(other, _)| *other != peer);
        let said = |(other, seat): (&PeerId, &'a Seat<M>)| Some((other.clone(), seat.metadata.as_deref()?));
        RoomState {
            peers: others().map(|(other, _)| other.clone()).collect(),
            your_peer_id: peer.clone(),
            room_id: Some(self.id.clone()),
            ice_servers: Some(ice_servers),
            seq: Some(self.broadcasts),
            epoch: Some(format!("{:016x}", self.epoch).into()),
            resume_token: token.map(|token| token.text().into()),
            recovered,
            metadata: Some(others().filter_map(said).collect()).filter(|all: &BTreeMap<_, _>| !all.is_empty()),
        }
    }

    /// A member says something about itself.
    fn update(&mut self, from: &Place, metadata: &str, timestamp: &str) -> Result<usize, (ErrorCode, String)> {
        let all =
            self.seats.iter().filter(|(peer, _)| **peer != from.peer).filter_map(|(_, seat)| seat.metadata.as_ref());
        if all.map(|metadata| metadata.get().len()).sum::<usize>() + metadata.len() > ROOM_METADATA_BYTES {
            let text = format!("the metadata of all peers in a room has to be of at most {ROOM_METADATA_BYTES} bytes");
            return Err((ErrorCode::BadField, text));
        }
        let Ok(metadata) = serde_json::from_str::<Box<RawValue>>(metadata) else {
            return Err((ErrorCode::BadJson, "\"metadata\" is not JSON".to_owned()));
        };
        let updated = PeerUpdated { peer_id: from.peer.clone(), metadata: &metadata, timestamp: timestamp.into() };
        let deliveries = self.tell(&Frame::new(Notice::Updated(updated)), |peer, _| *peer != from.peer);
        if let Some(seat) = self.seat(from) {
            seat.metadata = Some(metadata);
        }
        Ok(deliveries)
    }

    /// The seat that somebody still holds.
    fn seat(&mut self, place: &Place) -> Option<&mut Seat<M>> {
        self.seats.get_mut(&place.peer).filter(|seat| seat.link == place.link && seat.member.is_some())
    }

    fn tell_one(&mut self, target: &str, notice: Notice<'_>) -> Result<usize, (ErrorCode, String)> {
        let Some(seat) = self.seats.get_mut(target) else {
            // The name may be anything: Debug escapes it.
            return Err((ErrorCode::PeerNotFound, format!("no peer {target:?} in this room")));
        };
        seat.deliver(&Frame::new(notice));
        Ok(1)
    }

    /// The same frame for every member that is wanted; how many they are.
    fn tell(&mut self, frame: &Frame<'_>, wanted: impl Fn(&PeerId, &Seat<M>) -> bool) -> usize {
        let mut told = 0;
        for (peer, seat) in &mut self.seats {
            if wanted(peer, seat) {
                seat.deliver(frame);
                told += 1;
            }
        }
        told
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
