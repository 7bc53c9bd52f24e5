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

pub(crate) use self::bans::Ban;
use self::bans::Bans;
use super::{
    Text,
    caps::Caps,
    outbox::Outbox,
    pool::Pool,
    room::{Asks, EMPTY_ROOM, Newcomer, Place, Room},
    token::Token,
};
use crate::{
    auth::{Bearer, Caller},
    ice::{Asker, IceServers},
};

/// With so many rooms, or with half of those that there may be, one that gets empty ends at once: names that are joined and
/// left hold no memory beyond that.
const ROOMS_WITH_EMPTY_ONES: usize = 10_000;

/// All rooms of this server.
#[derive(Clone)]
pub(crate) struct Registry(Arc<Shared>);

struct Shared {
    rooms: Mutex<Rooms>,
    ice: IceServers,
    /// How long a place is kept for who lost its connection; zero: not at all.
    grace: Duration,
    /// What all rooms keep.
    pool: Pool,
    caps: Caps,
    /// Peers that are away, in all rooms.
    away: AtomicUsize,
}

#[derive(Default)]
struct Rooms {
    by_name: HashMap<RoomId, Arc<Cell>>,
    /// Who may not come back for a while.
    bans: Bans,
    /// Somebody may have left one of them empty.
    may_have_empty: bool,
    /// Set once the server stops: nobody gets in any more.
    closed: Option<CloseCode>,
}

/// What there is in all rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// Those that somebody is in.
    pub(crate) rooms: usize,
    /// Peers that have a connection.
    pub(crate) connected: usize,
    pub(crate) away: usize,
    /// Bytes that wait for them to be taken.
    pub(crate) waiting_bytes: usize,
}

/// A room with its lock: a std mutex, since it is held only for the moment of one change and the frames that follow from
/// it, never over an await. So the order of frames is the same for everybody.
type Cell = Mutex<Room<Outbox>>;

/// A place in a room. Dropping it is leaving, so that no end of a connection, a panic included, leaves a ghost.
pub(crate) struct Membership {
    registry: Registry,
    room: Arc<Cell>,
    pub(crate) place: Place,
    /// See [`Asks`].
    host: Option<Box<str>>,
    /// What the others are told when this is dropped and its peer does not come back.
    pub(crate) reason: LeaveReason,
    /// Its end is one that a peer may come back from.
    pub(crate) may_return: bool,
}

impl Registry {
    /// No rooms yet. Each newcomer is told what `ice` has for it; who asks for it may come back within `grace`, to
    /// what `pool` has room for.
    pub(crate) fn new(ice: IceServers, grace: Duration, pool: Pool, caps: Caps) -> Self {
        Self(Arc::new(Shared { rooms: Mutex::default(), ice, grace, pool, caps, away: AtomicUsize::new(0) }))
    }

    /// Puts a peer into a room, which is made for the first one, or back into the place that it had.
    ///
    /// # Errors
    /// The code that the connection is to be closed with: the id is taken, the room is full, there are as many rooms as there
    /// may be, or its `sub` has as many places as it may have.
    pub(crate) fn join(
        &self,
        room_id: &RoomId,
        peer: PeerId,
        outbox: Outbox,
        mut asks: Asks,
        bearer: Bearer,
    ) -> Result<Membership, CloseCode> {
        let token = (asks.resume && !self.0.grace.is_zero()).then(Token::new).transpose();
        let token = token.map_err(|_| CloseCode::Error)?;
        let mut rooms = lock(&self.0.rooms);
        if let Some(code) = rooms.closed {
            return Err(code);
        }
        if rooms.bans.include(room_id, &peer, bearer.as_deref(), Timestamp::now()) {
            return Err(CloseCode::NotAllowed);
        }
        if !rooms.by_name.contains_key(room_id) && !rooms.has_place(self.0.caps.rooms) {
            return Err(CloseCode::Overloaded);
        }
        let room = rooms.by_name.entry(room_id.clone()).or_insert_with(|| self.new_room(room_id)).clone();
        // Locked before the registry is let go, or the room could be found to be over and be removed in between.
        let mut locked = lock(&room);
        drop(rooms);
        let now = Timestamp::now();
        let asker = Asker { room: room_id, peer: &peer, bearer: &bearer };
        let host = asks.host.take();
        let ice_servers = &self.0.ice.told(Some(asker), host.as_deref(), now);
        let newcomer = Newcomer { peer, member: outbox, token, asks, ice_servers, bearer };
        let place = self.counted(&mut locked, |room| room.join(newcomer, now))?;
        drop(locked);
        Ok(Membership { registry: self.clone(), room, place, host, reason: LeaveReason::Lost, may_return: true })
    }

    fn new_room(&self, id: &RoomId) -> Arc<Cell> {
        let Shared { grace, pool, caps, .. } = &*self.0;
        Arc::new(Mutex::new(Room::new(id.clone(), fastrand::u64(..), *grace, pool.clone(), caps.clone())))
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

    /// Ends the connections of those of whom `is` is true, in all rooms.
    pub(crate) fn close_where(&self, code: CloseCode, is: impl Fn(&Caller) -> bool) {
        let rooms: Vec<_> = lock(&self.0.rooms).by_name.values().cloned().collect();
        rooms.iter().for_each(|room| lock(room).close_where(code, &is));
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
        let mut rooms = lock(&self.0.rooms);
        let Rooms { by_name, may_have_empty, .. } = &mut *rooms;
        by_name.retain(|_, room| {
            let mut room = lock(room);
            self.counted(&mut room, |room| room.tick(now));
            *may_have_empty |= room.len() == 0;
            !room.is_over(now)
        });
    }

    /// Lets a room go that may be empty, if there are too many to keep it.
    fn make_room(&self, id: &RoomId) {
        let mut rooms = lock(&self.0.rooms);
        let is_empty = |rooms: &Rooms| rooms.by_name.get(id).is_some_and(|room| lock(room).len() == 0);
        let most = ROOMS_WITH_EMPTY_ONES.min(self.0.caps.rooms / 2);
        if rooms.by_name.len() <= most {
            rooms.may_have_empty = true;
        } else if is_empty(&rooms) {
            rooms.by_name.remove(id);
        }
    }

    /// How many there are of what, now. Each room is looked at for a moment.
    pub(crate) fn census(&self) -> Census {
        let cells: Vec<_> = lock(&self.0.rooms).by_name.values().cloned().collect();
        let mut census = Census::default();
        for room in cells {
            let room = lock(&room);
            census.rooms += usize::from(room.len() > 0);
            census.connected += room.len() - room.away();
            census.away += room.away();
            census.waiting_bytes += room.members().map(Outbox::waiting_bytes).sum::<usize>();
        }
        census
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

impl Rooms {
    /// Whether there may be one more. Those that nobody is in any more give way.
    fn has_place(&mut self, most: usize) -> bool {
        if self.by_name.len() >= most && std::mem::take(&mut self.may_have_empty) {
            self.by_name.retain(|_, room| lock(room).len() > 0);
        }
        self.by_name.len() < most
    }
}

impl Membership {
    /// Sends a message of this member to whom it is for, and says to how many that is; `id` is what the member calls it.
    ///
    /// # Errors
    /// The code and the sentence of the `error` that the sender gets.
    pub(crate) fn send(&self, id: Option<&str>, message: &ClientMessage<'_>) -> Result<usize, (ErrorCode, String)> {
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

    /// The client has shown a newer token.
    pub(crate) fn renew(&self, bearer: Bearer) {
        lock(&self.room).renew(&self.place, bearer);
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

/// A room is whole after every change, so that a panic elsewhere is no reason to give it up.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

mod administration;
mod bans;
mod membership;
#[cfg(test)]
mod tests;
