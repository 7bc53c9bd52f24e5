//! Who has which relayed address, and what comes of a message: a state machine without a socket, a clock or chance.
//!
//! There is one rule of where data may go: to a live allocation of the same room, which has to permit the sender's.

mod allocation;
mod answer;
mod client;
mod data;
mod networks;
mod nonce;
mod request;
mod stats;
#[cfg(test)]
mod tests;
mod user;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use super::{
    credentials::Secret,
    stun::{Class, Message, method},
};
use allocation::Allocation;
use networks::Networks;
use nonce::Nonces;
use user::User;

pub use client::{Client, Moment};
pub use stats::{Refusal, Stats};

/// The first number of a relayed address, as RFC 8656 section 7.2 has it.
pub const FIRST_PORT: u16 = 49_152;
/// How many numbers there are.
const PORTS: usize = (u16::MAX - FIRST_PORT) as usize + 1;

/// What comes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// An answer to whom it is from.
    Reply(Vec<u8>),
    /// Data for another client.
    Deliver(Client, Vec<u8>),
    /// Nobody hears of it.
    Nothing,
}

/// How a relay is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What credentials are made with.
    pub secret: Secret,
    /// The addresses that allocations have with a number of their own.
    pub relayed: (Ipv4Addr, Ipv6Addr),
    /// Allocations at most.
    pub allocations: usize,
    /// Of one user.
    pub allocations_per_user: usize,
    /// Bytes a second that a user may send, and how many at once; none: any.
    pub rate: Option<(u32, u32)>,
    /// How many numbers behind the first one the first allocation has.
    pub first: u16,
}

/// All of it.
#[derive(Debug)]
pub struct Table {
    settings: Settings,
    nonces: Nonces,
    networks: Networks,
    /// By the number of the relayed address.
    allocations: HashMap<u16, Allocation>,
    clients: HashMap<Client, u16>,
    users: HashMap<Arc<str>, User>,
    next: u16,
    is_closed: bool,
    stats: Stats,
}

impl Table {
    /// Without allocations.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            nonces: Nonces::new(&settings.secret),
            networks: Networks::default(),
            allocations: HashMap::new(),
            clients: HashMap::new(),
            users: HashMap::new(),
            next: FIRST_PORT.saturating_add(settings.first),
            is_closed: false,
            stats: Stats::default(),
            settings,
        }
    }

    /// Takes a whole message of a client.
    pub fn input(&mut self, client: Client, bytes: &[u8], now: Moment) -> Out {
        // The first two bits tell channels and STUN apart (RFC 8656, section 12).
        if bytes.first().is_some_and(|first| first >> 6 == 1) {
            return self.channel_data(client, bytes, now).unwrap_or(Out::Nothing);
        }
        let Some(message) = Message::parse(bytes) else { return Out::Nothing };
        match (message.class(), message.method()) {
            (Class::Request, _) => self.request(client, &message, now),
            (Class::Indication, method::SEND) => self.send(client, &message, now).unwrap_or(Out::Nothing),
            _ => Out::Nothing,
        }
    }

    /// Forgets what is over. Nothing that is over is of any use before it is forgotten.
    pub fn expire(&mut self, now: Duration) {
        let over = self.allocations.iter().filter(|(_, allocation)| !allocation.lives(now)).map(|(port, _)| *port);
        for port in over.collect::<Vec<_>>() {
            self.end(port);
        }
        self.allocations.values_mut().for_each(|allocation| allocation.forget(now));
        self.users.retain(|_, user| !user.is_idle(now));
        if self.allocations.is_empty() {
            (self.allocations, self.clients) = (HashMap::new(), HashMap::new());
        }
        self.networks.forget();
    }

    /// From now on there are no new allocations; those that are there go on.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// The client has gone, and so has its allocation.
    pub fn leave(&mut self, client: Client) {
        if let Some(port) = self.clients.get(&client).copied() {
            self.end(port);
        }
    }

    /// Until when a client has an allocation.
    #[must_use]
    pub fn until(&self, client: Client) -> Option<Duration> {
        Some(self.allocations.get(self.clients.get(&client)?)?.until)
    }

    /// Whether an allocation has carried data a short while ago, or is new.
    #[must_use]
    pub fn is_in_use(&self, now: Duration) -> bool {
        self.allocations.values().any(|own| own.lives(now) && !own.is_idle(now))
    }

    /// Counts data that came to its client's queue, and found no room there.
    pub fn lost(&mut self) {
        self.stats.refuse(Refusal::Queue);
    }

    /// How many allocations there are.
    #[must_use]
    pub fn allocations(&self) -> usize {
        self.allocations.len()
    }

    /// What was counted since it was asked for the last time.
    pub fn stats(&mut self) -> Stats {
        std::mem::take(&mut self.stats)
    }

    /// The number of a client's live allocation.
    fn port_of(&self, client: Client, now: Duration) -> Option<u16> {
        let port = *self.clients.get(&client)?;
        self.allocations.get(&port)?.lives(now).then_some(port)
    }

    /// The live allocation that has this address and is of the room with this tag: the only place that data may go to.
    fn peer(&self, address: SocketAddr, tag: &str, now: Duration) -> Option<u16> {
        let allocation = self.allocations.get(&address.port())?;
        let is_it = allocation.relayed == address && &*allocation.tag == tag && allocation.lives(now);
        is_it.then_some(address.port())
    }

    /// A number that nobody has, or an even one: the one that was given back the longest time ago, or about so.
    fn free_port(&mut self, has_to_be_even: bool) -> Option<u16> {
        for _ in 0..PORTS {
            let port = self.next;
            self.next = port.checked_add(1).unwrap_or(FIRST_PORT);
            let fits = !has_to_be_even || port.is_multiple_of(2);
            if fits && !self.allocations.contains_key(&port) {
                return Some(port);
            }
        }
        None
    }

    fn relayed(&self, is_v6: bool, port: u16) -> SocketAddr {
        let (v4, v6) = self.settings.relayed;
        SocketAddr::new(if is_v6 { IpAddr::V6(v6) } else { IpAddr::V4(v4) }, port)
    }

    fn end(&mut self, port: u16) {
        let Some(allocation) = self.allocations.remove(&port) else { return };
        self.clients.remove(&allocation.client);
        if let Some(user) = self.users.get_mut(&allocation.who) {
            user.ports.retain(|other| *other != port);
        }
    }
}
