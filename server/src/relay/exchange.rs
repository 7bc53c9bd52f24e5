//! What all transports share: the table, and the way to each of its clients.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    outlet::Outlet,
    socket::Socket,
    table::{Client, Moment, Out, Refusal, Table},
};
use crate::{
    connection_limit::{ConnectionLimit, Slot},
    limits::Limit,
    metrics::{Direction, Metrics},
};

/// The table, and where its clients are. What comes in is looked up, and what comes of it handed over, without waiting for
/// anybody: a mutex is enough.
pub(crate) struct Exchange {
    state: Mutex<State>,
    socket: Socket,
    /// Streams have places of their own: they take none of HTTP's.
    places: ConnectionLimit,
    metrics: Arc<Metrics>,
    started: Instant,
    /// The relay has ended.
    over: CancellationToken,
}

struct State {
    table: Table,
    outlets: HashMap<u64, Arc<Outlet>>,
    /// How many streams there have been.
    streams: u64,
}

/// A client by stream. It ends with its allocation when this is dropped.
pub(super) struct Entry {
    exchange: Arc<Exchange>,
    pub(super) client: Client,
    pub(super) outlet: Arc<Outlet>,
}

/// A client takes no answers.
pub(super) struct Deaf;

impl Exchange {
    pub(super) fn new(table: Table, socket: Socket, streams: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State { table, outlets: HashMap::new(), streams: 0 }),
            socket,
            places: ConnectionLimit::new(streams),
            metrics,
            started: Instant::now(),
            over: CancellationToken::new(),
        })
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Cancelled once the relay has ended.
    pub(super) fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// A place for a stream, if one is left.
    pub(crate) fn place(&self) -> Option<Slot> {
        self.places.take()
    }

    /// A client by stream, seen at this address.
    pub(super) fn enter(self: &Arc<Self>, address: SocketAddr) -> Entry {
        let mut state = self.state.lock();
        state.streams += 1;
        let (number, outlet) = (state.streams, Arc::new(Outlet::default()));
        state.outlets.insert(number, outlet.clone());
        drop(state);
        Entry { exchange: self.clone(), client: Client::Stream(number, address), outlet }
    }

    /// Takes messages, and hands over what comes of them.
    ///
    /// # Errors
    /// When a client by stream has no room for an answer.
    pub(super) fn take<'a>(&self, messages: impl Iterator<Item = (Client, &'a [u8])>) -> Result<(), Deaf> {
        let (now, mut datagrams, mut all_heard) = (self.now(), Vec::new(), true);
        let mut state = self.state.lock();
        for (client, message) in messages {
            let (to, bytes, is_answer) = match state.table.input(client, message, now) {
                Out::Reply(bytes) => (client, bytes, true),
                Out::Deliver(to, bytes) => (to, bytes, false),
                Out::Nothing => continue,
            };
            match (to, is_answer) {
                (Client::Udp(..), _) => datagrams.push((to, bytes)),
                (Client::Stream(number, _), true) => {
                    all_heard &= state.outlets.get(&number).is_some_and(|outlet| outlet.answer(&bytes));
                }
                (Client::Stream(number, _), false) => {
                    if !state.outlets.get(&number).is_some_and(|outlet| outlet.data(&bytes)) {
                        state.table.lost();
                    }
                }
            }
        }
        drop(state);
        self.socket.send(&datagrams);
        if all_heard { Ok(()) } else { Err(Deaf) }
    }

    /// For how long a client has an allocation from now on.
    pub(super) fn left(&self, client: Client) -> Option<Duration> {
        let now = self.started.elapsed();
        Some(self.state.lock().table.until(client)?.saturating_sub(now))
    }

    /// No allocation is made any more.
    pub(super) fn close(&self) {
        self.state.lock().table.close();
    }

    /// Whether anybody uses it.
    pub(super) fn is_in_use(&self) -> bool {
        self.state.lock().table.is_in_use(self.started.elapsed())
    }

    /// Forgets what is over, and tells what was counted.
    pub(super) fn look(&self) {
        let (stats, allocations) = {
            let table = &mut self.state.lock().table;
            table.expire(self.started.elapsed());
            (table.stats(), table.allocations())
        };
        let metrics = &self.metrics;
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        metrics.turn_allocations.set(i64::try_from(allocations).unwrap_or(i64::MAX));
        metrics.turn_bytes.add(Direction::In, count(stats.bytes_in));
        metrics.turn_bytes.add(Direction::Out, count(stats.bytes_out));
        for refusal in Refusal::ALL {
            let refused = count(stats.refused(refusal));
            metrics.turn_refused.add(refusal, refused);
            if let Some(limit) = limit(refusal) {
                metrics.limited.add(limit, refused);
            }
        }
    }

    fn now(&self) -> Moment {
        let unix = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        Moment { at: self.started.elapsed(), unix }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.exchange.state.lock();
        state.table.leave(self.client);
        if let Client::Stream(number, _) = self.client {
            state.outlets.remove(&number);
        }
    }
}

/// The limit that is behind it.
fn limit(refusal: Refusal) -> Option<Limit> {
    match refusal {
        Refusal::Quota => Some(Limit::TurnAllocationsPerPeer),
        Refusal::Capacity => Some(Limit::TurnAllocations),
        Refusal::Rate => Some(Limit::TurnRatePerPeer),
        Refusal::Auth | Refusal::Peer | Refusal::Network | Refusal::Queue => None,
    }
}
