//! The rooms by name. Touched when somebody joins or leaves, never by a message.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use grtc_protocol::{
    CloseCode, PeerId, RoomId,
    client::ClientMessage,
    limits::AWAY_PEERS,
    server::{ErrorCode, LeaveReason},
};

use jiff::Timestamp;
use tokio::time::interval;

use super::{
    Text,
    notice::Frame,
    outbox::Outbox,
    room::{Asks, EMPTY_ROOM, Member, Newcomer, Place, Room},
    token::Token,
};
use crate::ice::IceServers;

/// With so many rooms, one that gets empty ends at once: names that are joined and left hold no memory beyond that.
const ROOMS_WITH_EMPTY_ONES: usize = 10_000;

/// All rooms of this server.
#[derive(Clone)]
pub(crate) struct Registry(Arc<Shared>);

struct Shared {
    rooms: Mutex<Rooms>,
    ice: IceServers,
    /// How long a place is kept for who lost its connection; zero: not at all.
    grace: Duration,
    /// Peers that are away, in all rooms.
    away: AtomicUsize,
}

#[derive(Default)]
struct Rooms {
    by_name: HashMap<RoomId, Arc<Cell>>,
    /// Set once the server stops: nobody gets in any more.
    closed: Option<CloseCode>,
}

/// A room with its lock: a std mutex, since it is held only for the moment of one change and the frames that follow from
/// it, never over an await. So the order of frames is the same for everybody.
type Cell = Mutex<Room<Outbox>>;

/// A place in a room. Dropping it is leaving, so that no end of a connection, a panic included, leaves a ghost.
pub(crate) struct Membership {
    registry: Registry,
    room: Arc<Cell>,
    pub(crate) place: Place,
    /// What the others are told when this is dropped and its peer does not come back.
    pub(crate) reason: LeaveReason,
    /// Its end is one that a peer may come back from.
    pub(crate) may_return: bool,
}

impl Registry {
    /// No rooms yet. Each newcomer is told what `ice` has for it; who asks for it may come back within `grace`.
    pub(crate) fn new(ice: IceServers, grace: Duration) -> Self {
        Self(Arc::new(Shared { rooms: Mutex::default(), ice, grace, away: AtomicUsize::new(0) }))
    }

    /// Puts a peer into a room, which is made for the first one, or back into the place that it had.
    ///
    /// # Errors
    /// The code that the connection is to be closed with: the id is taken, or the room is full.
    pub(crate) fn join(
        &self,
        room_id: &RoomId,
        peer: PeerId,
        outbox: Outbox,
        asks: Asks,
    ) -> Result<Membership, CloseCode> {
        let token = (asks.resume && !self.0.grace.is_zero()).then(Token::new).transpose();
        let token = token.map_err(|_| CloseCode::Error)?;
        let mut rooms = lock(&self.0.rooms);
        if let Some(code) = rooms.closed {
            return Err(code);
        }
        let new = || Arc::new(Mutex::new(Room::new(room_id.clone(), fastrand::u64(..), self.0.grace)));
        let room = rooms.by_name.entry(room_id.clone()).or_insert_with(new).clone();
        // Locked before the registry is let go, or the room could be found to be over and be removed in between.
        let mut locked = lock(&room);
        drop(rooms);
        let now = Timestamp::now();
        let ice_servers = &self.0.ice.for_peer(Some(&peer), now);
        let newcomer = Newcomer { peer, member: outbox, token, asks, ice_servers };
        let place = self.counted(&mut locked, |room| room.join(newcomer, now))?;
        drop(locked);
        Ok(Membership { registry: self.clone(), room, place, reason: LeaveReason::Lost, may_return: true })
    }

    /// Changes a room and counts who goes away or comes back by it.
    fn counted<T>(&self, room: &mut Room<Outbox>, change: impl FnOnce(&mut Room<Outbox>) -> T) -> T {
        let before = room.away();
        let done = change(room);
        // It wraps around, both ways.
        self.0.away.fetch_add(room.away().wrapping_sub(before), Relaxed);
        done
    }

    /// Ends every connection with this code, and those that come from now on.
    pub(crate) fn close(&self, code: CloseCode) {
        let mut rooms = lock(&self.0.rooms);
        rooms.closed = Some(code);
        for room in rooms.by_name.values() {
            lock(room).members().for_each(|outbox| outbox.close(code));
        }
    }

    /// Looks after the rooms for ever: what is due in them happens within half of [`EMPTY_ROOM`].
    pub(crate) async fn keep(self) {
        let mut ticks = interval(EMPTY_ROOM / 2);
        loop {
            ticks.tick().await;
            self.tick(Timestamp::now());
        }
    }

    /// Does what is due in the rooms at `now`.
    fn tick(&self, now: Timestamp) {
        lock(&self.0.rooms).by_name.retain(|_, room| {
            let mut room = lock(room);
            self.counted(&mut room, |room| room.tick(now));
            !room.is_over(now)
        });
    }

    /// Lets a room go that may be empty, if there are too many to keep it.
    fn make_room(&self, id: &RoomId) {
        let mut rooms = lock(&self.0.rooms);
        let is_empty = |rooms: &Rooms| rooms.by_name.get(id).is_some_and(|room| lock(room).len() == 0);
        if rooms.by_name.len() > ROOMS_WITH_EMPTY_ONES && is_empty(&rooms) {
            rooms.by_name.remove(id);
        }
    }

    /// The rooms with the number of their peers, by name; without those that nobody is in.
    pub(crate) fn rooms(&self) -> Vec<(RoomId, usize)> {
        let cells: Vec<_> = lock(&self.0.rooms).by_name.iter().map(|(id, room)| (id.clone(), room.clone())).collect();
        let mut rooms: Vec<_> = cells.into_iter().map(|(id, room)| (id, lock(&room).len())).collect();
        rooms.retain(|(_, peers)| *peers > 0);
        rooms.sort();
        rooms
    }

    /// The peers of a room in the order of their joining; none if there is no such room.
    pub(crate) fn peers(&self, room_id: &RoomId) -> Vec<PeerId> {
        let room = lock(&self.0.rooms).by_name.get(room_id).cloned();
        room.map(|room| lock(&room).peers()).unwrap_or_default()
    }
}

impl Membership {
    /// Sends a message of this member to whom it is for; `id` is what the member calls it.
    ///
    /// # Errors
    /// The code and the sentence of the `error` that the sender gets.
    pub(crate) fn send(&self, id: Option<&str>, message: &ClientMessage<'_>) -> Result<(), (ErrorCode, String)> {
        lock(&self.room).send(&self.place, id, message, Timestamp::now())
    }

    /// Answers this member, by its `outbox`: through the room if it may miss that and come back for it.
    pub(crate) fn answer(&self, outbox: &Outbox, text: Text) {
        if self.place.keeps {
            lock(&self.room).answer(&self.place, text);
        } else {
            outbox.push(text);
        }
    }

    /// The client has got what it came back for.
    pub(crate) fn confirm(&self) {
        lock(&self.room).confirm(&self.place);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let may_return = self.may_return && self.registry.0.away.load(Relaxed) < AWAY_PEERS;
        let mut room = lock(&self.room);
        self.registry.counted(&mut room, |room| match may_return && self.place.keeps {
            true => room.lose(&self.place, Timestamp::now()),
            false => room.leave(&self.place, self.reason, Timestamp::now()),
        });
        let empty = (room.len() == 0).then(|| room.id().clone());
        drop(room);
        if let Some(id) = empty {
            self.registry.make_room(&id);
        }
    }
}

impl Member for Outbox {
    fn deliver(&self, frame: &Frame<'_>) {
        self.push(frame.text());
    }

    fn replay(&self, text: Text) {
        Self::replay(self, text);
    }

    fn close(&self, code: CloseCode) {
        Self::close(self, code);
    }
}

/// A room is whole after every change, so that a panic elsewhere is no reason to give it up.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
