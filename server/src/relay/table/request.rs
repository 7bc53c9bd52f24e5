//! Requests: who asks, and what for.

use std::{sync::Arc, time::Duration};

use super::{
    Client, Moment, Out, Refusal, Table,
    allocation::{Allocation, Name},
    answer::{Fault, failure, success, unknown},
};
use crate::relay::{
    channel_data::CHANNELS,
    credentials::{Key, REALM, User},
    stun::{Message, Writer, attribute, method},
};

/// How long an allocation lasts, in seconds: when nothing is said, and at most (RFC 8656, section 7.2).
const LIFETIME: u32 = 600;
const LONGEST: u32 = 3_600;
/// How many times as long as the request an answer is that goes to somebody unknown, at most.
const AMPLIFICATION: usize = 3;
/// The number of UDP, and of the families of addresses.
const UDP: u8 = 17;
const V4: u8 = 1;
const V6: u8 = 2;

type Done = Result<Writer, Fault>;

impl Table {
    pub(super) fn request(&mut self, client: Client, message: &Message<'_>, now: Moment) -> Out {
        let is_unknown = unknown(message).next().is_some();
        if message.method() == method::BINDING {
            let mapped = || success(message).address(attribute::XOR_MAPPED_ADDRESS, client.address());
            return self.unproven(
                client,
                message,
                if is_unknown { failure(message, Fault::Unknown) } else { mapped() },
            );
        }
        let key = match self.proven(client, message, now) {
            Ok(key) => key,
            Err(fault) => return self.not_proven(client, message, fault, now),
        };
        let done = if is_unknown { Err(Fault::Unknown) } else { self.perform(client, message, key, now) };
        let writer = match done {
            Ok(writer) => writer,
            Err(fault) if self.is_told(client, fault, now.at) => failure(message, fault),
            Err(_) => return Out::Nothing,
        };
        Out::Reply(writer.integrity(&key).fingerprint().finish())
    }

    fn perform(&mut self, client: Client, message: &Message<'_>, key: Key, now: Moment) -> Done {
        match message.method() {
            method::ALLOCATE => self.allocate(client, message, key, now),
            method::REFRESH => self.refresh(client, message, now.at),
            method::CREATE_PERMISSION => self.create_permission(client, message, now.at),
            method::CHANNEL_BIND => self.channel_bind(client, message, now.at),
            _ => Err(Fault::BadRequest),
        }
    }

    /// Finds out whether who asks knows the password of its name. Its time counts for a new allocation alone: what is there
    /// goes on.
    fn proven(&self, client: Client, message: &Message<'_>, now: Moment) -> Result<Key, Fault> {
        if !message.has_integrity() {
            return Err(Fault::Unauthenticated);
        }
        let text = |kind| message.text(kind).ok_or(Fault::BadRequest);
        let (username, _, nonce) = (text(attribute::USERNAME)?, text(attribute::REALM)?, text(attribute::NONCE)?);
        if !self.nonces.is_good(nonce, now.at) {
            return Err(Fault::StaleNonce);
        }
        let own = self.port_of(client, now.at).and_then(|port| self.allocations.get(&port));
        let key = match own {
            Some(own) if &*own.username == username => own.key,
            _ => self.settings.secret.key(username),
        };
        if !message.is_proven_by(&key) {
            return Err(Fault::Unauthenticated);
        }
        let is_new = own.is_none() && message.method() == method::ALLOCATE;
        if is_new && User::read(username, now.unix).is_none() {
            return Err(Fault::Unauthenticated);
        }
        Ok(key)
    }

    /// The answer to who has not shown who it is.
    fn not_proven(&mut self, client: Client, message: &Message<'_>, fault: Fault, now: Moment) -> Out {
        // Every client asks without credentials first.
        if fault == Fault::Unauthenticated && message.has_integrity() {
            self.stats.refuse(Refusal::Auth);
        }
        let mut writer = failure(message, fault);
        if fault.is_challenge() {
            let nonce = self.nonces.make(now.at);
            writer = writer.attribute(attribute::REALM, REALM.as_bytes()).attribute(attribute::NONCE, nonce.as_bytes());
        }
        self.unproven(client, message, writer)
    }

    /// An answer that may go to somebody who never asked: not too often, and, but for what begins a session, not much longer than the request.
    fn unproven(&mut self, client: Client, message: &Message<'_>, writer: Writer) -> Out {
        let reply = writer.fingerprint().finish();
        let is_short = reply.len() <= AMPLIFICATION * message.size() || message.method() == method::ALLOCATE;
        if is_short && (client.is_certain() || self.networks.take(client.address().ip())) {
            return Out::Reply(reply);
        }
        self.stats.refuse(Refusal::Network);
        Out::Nothing
    }

    /// Counts what is refused. Of a storm of it a user is told the beginning.
    fn is_told(&mut self, client: Client, fault: Fault, now: Duration) -> bool {
        if let Some(refusal) = fault.refusal() {
            self.stats.refuse(refusal);
        }
        let own = self.port_of(client, now).and_then(|port| self.allocations.get(&port));
        let user = own.and_then(|own| self.users.get_mut(&own.who));
        fault != Fault::Forbidden || user.is_none_or(|user| user.refuse(now))
    }

    fn allocate(&mut self, client: Client, message: &Message<'_>, key: Key, now: Moment) -> Done {
        if let Some(own) = self.port_of(client, now.at).and_then(|port| self.allocations.get(&port)) {
            return match own.made_by.0 == message.transaction() {
                true => Ok(allocated(message, own)),
                false => Err(Fault::Mismatch),
            };
        }
        match message.attribute(attribute::REQUESTED_TRANSPORT) {
            Some([UDP, ..]) => {}
            Some(_) => return Err(Fault::Transport),
            None => return Err(Fault::BadRequest),
        }
        let is_v6 = match message.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
            None | Some([V4, ..]) => false,
            Some([V6, ..]) => true,
            Some(_) => return Err(Fault::Family),
        };
        let username = message.text(attribute::USERNAME).ok_or(Fault::BadRequest)?;
        let User { tag, who } = User::read(username, now.unix).ok_or(Fault::BadRequest)?;
        let has_to_be_even = match message.attribute(attribute::EVEN_PORT) {
            None => false,
            Some([0, ..]) => true,
            // The next one can't be kept for a later request.
            Some(_) => return Err(Fault::Capacity),
        };
        self.make_place(client, who, now.at)?;
        let port = self.free_port(has_to_be_even).ok_or(Fault::Capacity)?;
        let (seconds, who) = (lifetime(message), Arc::from(who));
        let name = Name { tag: tag.into(), who: Arc::clone(&who), username: username.into(), key };
        let made_by = (message.transaction(), seconds);
        let own = Allocation::new(client, self.relayed(is_v6, port), name, made_by, now.at);
        let answer = allocated(message, &own);
        self.users.entry(who).or_default().ports.push(port);
        self.clients.insert(client, port);
        self.allocations.insert(port, own);
        Ok(answer)
    }

    /// Sees to it that there may be one more allocation of this user. At its quota the one goes that has been idle for longest.
    fn make_place(&mut self, client: Client, who: &str, now: Duration) -> Result<(), Fault> {
        if self.is_closed {
            return Err(Fault::Capacity);
        }
        if let Some(over) = self.clients.get(&client).copied() {
            self.end(over);
        }
        let ports = self.users.get(who).map_or(&[][..], |user| &user.ports);
        if ports.len() >= self.settings.allocations_per_user {
            // The oldest one of those that have been idle for equally long.
            let carried = |port: &u16| self.allocations.get(port).map_or(Duration::ZERO, |own| own.carried);
            let is_idle = |port: &u16| self.allocations.get(port).is_none_or(|own| own.is_idle(now));
            let idle = ports.iter().copied().min_by_key(carried).filter(is_idle);
            let idle = idle.ok_or(Fault::Quota)?;
            self.end(idle);
        }
        match self.allocations.len() < self.settings.allocations {
            true => Ok(()),
            false => Err(Fault::Capacity),
        }
    }

    fn refresh(&mut self, client: Client, message: &Message<'_>, now: Duration) -> Done {
        let port = self.own(client, message, now)?;
        let seconds = if message.number(attribute::LIFETIME) == Some(0) { 0 } else { lifetime(message) };
        match self.allocations.get_mut(&port) {
            Some(own) if seconds > 0 => own.until = now + Duration::from_secs(seconds.into()),
            _ => self.end(port),
        }
        Ok(success(message).attribute(attribute::LIFETIME, &seconds.to_be_bytes()))
    }

    fn create_permission(&mut self, client: Client, message: &Message<'_>, now: Duration) -> Done {
        let port = self.own(client, message, now)?;
        let peers: Vec<u16> = self.peers(port, message, now)?;
        self.allocations.get_mut(&port).ok_or(Fault::Mismatch)?.permit(&peers, now)?;
        Ok(success(message))
    }

    fn channel_bind(&mut self, client: Client, message: &Message<'_>, now: Duration) -> Done {
        let port = self.own(client, message, now)?;
        let channel = match message.attribute(attribute::CHANNEL_NUMBER) {
            Some([high, low, _, _]) => u16::from_be_bytes([*high, *low]),
            _ => return Err(Fault::BadRequest),
        };
        if !CHANNELS.contains(&channel) {
            return Err(Fault::BadRequest);
        }
        let peer = *self.peers(port, message, now)?.first().ok_or(Fault::BadRequest)?;
        self.allocations.get_mut(&port).ok_or(Fault::Mismatch)?.bind(channel, peer, now)?;
        Ok(success(message))
    }

    /// The number of the allocation that a request is about, under whose name it has to be.
    fn own(&self, client: Client, message: &Message<'_>, now: Duration) -> Result<u16, Fault> {
        let port = self.port_of(client, now).ok_or(Fault::Mismatch)?;
        let own = self.allocations.get(&port).ok_or(Fault::Mismatch)?;
        match message.text(attribute::USERNAME) == Some(&*own.username) {
            true => Ok(port),
            false => Err(Fault::WrongCredentials),
        }
    }

    /// The numbers of the allocations that a request names, all of which have to be of the same room.
    fn peers(&self, port: u16, message: &Message<'_>, now: Duration) -> Result<Vec<u16>, Fault> {
        let own = self.allocations.get(&port).ok_or(Fault::Mismatch)?;
        let addresses: Option<Vec<_>> = message.addresses(attribute::XOR_PEER_ADDRESS).collect();
        let addresses = addresses.filter(|addresses| !addresses.is_empty()).ok_or(Fault::BadRequest)?;
        let peers = addresses.into_iter().map(|address| self.peer(address, &own.tag, now).ok_or(Fault::Forbidden));
        peers.collect()
    }
}

/// The answer to who has this allocation now.
fn allocated(message: &Message<'_>, own: &Allocation) -> Writer {
    success(message)
        .address(attribute::XOR_RELAYED_ADDRESS, own.relayed)
        .attribute(attribute::LIFETIME, &own.made_by.1.to_be_bytes())
        .address(attribute::XOR_MAPPED_ADDRESS, own.client.address())
}

/// How many seconds are granted.
fn lifetime(message: &Message<'_>) -> u32 {
    message.number(attribute::LIFETIME).unwrap_or(LIFETIME).clamp(LIFETIME, LONGEST)
}
