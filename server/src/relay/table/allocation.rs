//! An allocation: whose it is, whom it hears, and until when.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use super::{answer::Fault, client::Client};
use crate::relay::{credentials::Key, stun::Transaction};

/// How long a permission and a channel last (RFC 8656, sections 9 and 12).
const PERMISSION: Duration = Duration::from_secs(300);
const CHANNEL: Duration = Duration::from_secs(600);
/// An allocation that has carried nothing for so long is given up when its user needs the place.
const IDLE: Duration = Duration::from_secs(10);
/// Permissions of one allocation, and channels.
const PEERS: usize = 256;

#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) client: Client,
    pub(super) relayed: SocketAddr,
    pub(super) tag: Box<str>,
    pub(super) who: Arc<str>,
    pub(super) username: Box<str>,
    pub(super) key: Key,
    /// Of the request that made it, and the seconds that were granted then: the same request has the same answer.
    pub(super) made_by: (Transaction, u32),
    pub(super) until: Duration,
    /// When it carried data for the last time, or was made.
    pub(super) carried: Duration,
    /// By the number of the peer's allocation, until when.
    permissions: HashMap<u16, Duration>,
    channels: Vec<Channel>,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    number: u16,
    peer: u16,
    until: Duration,
}

impl Allocation {
    /// One that nobody is permitted to send to yet.
    pub(super) fn new(
        client: Client,
        relayed: SocketAddr,
        name: Name,
        made_by: (Transaction, u32),
        now: Duration,
    ) -> Self {
        let Name { tag, who, username, key } = name;
        let (permissions, channels) = (HashMap::new(), Vec::new());
        let until = now + Duration::from_secs(made_by.1.into());
        Self { client, relayed, tag, who, username, key, made_by, until, carried: now, permissions, channels }
    }

    pub(super) fn lives(&self, now: Duration) -> bool {
        now < self.until
    }

    pub(super) fn is_idle(&self, now: Duration) -> bool {
        self.carried + IDLE <= now
    }

    /// Permits these peers to send.
    pub(super) fn permit(&mut self, peers: &[u16], now: Duration) -> Result<(), Fault> {
        let more = peers.iter().filter(|peer| !self.permissions.contains_key(peer)).count();
        if self.permissions.len() + more > PEERS {
            return Err(Fault::Capacity);
        }
        self.permissions.extend(peers.iter().map(|peer| (*peer, now + PERMISSION)));
        Ok(())
    }

    pub(super) fn permits(&self, peer: u16, now: Duration) -> bool {
        self.permissions.get(&peer).is_some_and(|until| now < *until)
    }

    /// Binds a channel to a peer, which may send then; or does so again.
    pub(super) fn bind(&mut self, number: u16, peer: u16, now: Duration) -> Result<(), Fault> {
        self.channels.retain(|channel| now < channel.until);
        let is_of_another = |other: &Channel| (other.number == number) != (other.peer == peer);
        if self.channels.iter().any(is_of_another) {
            return Err(Fault::BadRequest);
        }
        self.permit(&[peer], now)?;
        let until = now + CHANNEL;
        let count = self.channels.len();
        match self.channels.iter_mut().find(|channel| channel.number == number) {
            Some(channel) => channel.until = until,
            None if count >= PEERS => return Err(Fault::Capacity),
            None => self.channels.push(Channel { number, peer, until }),
        }
        Ok(())
    }

    /// The peer of a channel.
    pub(super) fn peer_of(&self, number: u16, now: Duration) -> Option<u16> {
        let channel = self.channels.iter().find(|channel| channel.number == number)?;
        (now < channel.until).then_some(channel.peer)
    }

    /// The channel of a peer.
    pub(super) fn channel_of(&self, peer: u16, now: Duration) -> Option<u16> {
        let channel = self.channels.iter().find(|channel| channel.peer == peer)?;
        (now < channel.until).then_some(channel.number)
    }

    /// Forgets what is over.
    pub(super) fn forget(&mut self, now: Duration) {
        self.permissions.retain(|_, until| now < *until);
        self.channels.retain(|channel| now < channel.until);
    }
}

/// Under which name an allocation is made.
pub(super) struct Name {
    pub(super) tag: Box<str>,
    pub(super) who: Arc<str>,
    pub(super) username: Box<str>,
    pub(super) key: Key,
}
