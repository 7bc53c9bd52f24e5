//! Data on its way from one allocation to another.

use std::time::Duration;

use super::{Client, Moment, Out, Refusal, Table};
use crate::relay::{
    channel_data,
    stun::{Class, Message, Transaction, Writer, attribute, method},
};

impl Table {
    /// Data of a channel. There is no answer to it, whatever comes of it.
    pub(super) fn channel_data(&mut self, client: Client, bytes: &[u8], now: Moment) -> Option<Out> {
        let (channel, data) = channel_data::parse(bytes)?;
        let from = self.port_of(client, now.at)?;
        let to = self.allocations.get(&from)?.peer_of(channel, now.at)?;
        self.deliver(from, to, data, now.at)
    }

    /// Data of a Send indication, to a peer that its sender has permitted too.
    pub(super) fn send(&mut self, client: Client, message: &Message<'_>, now: Moment) -> Option<Out> {
        let from = self.port_of(client, now.at)?;
        let address = message.addresses(attribute::XOR_PEER_ADDRESS).next()??;
        let data = message.attribute(attribute::DATA)?;
        let sender = self.allocations.get(&from)?;
        let Some(to) = self.peer(address, &sender.tag, now.at) else {
            self.stats.refuse(Refusal::Peer);
            return None;
        };
        sender.permits(to, now.at).then_some(())?;
        self.deliver(from, to, data, now.at)
    }

    /// Hands data over, if its sender may send so much and its receiver wants it.
    fn deliver(&mut self, from: u16, to: u16, data: &[u8], now: Duration) -> Option<Out> {
        let sender = self.allocations.get(&from)?;
        self.stats.bytes_in += data.len() as u64;
        if !self.users.get_mut(&sender.who)?.send(data.len(), self.settings.rate, now) {
            self.stats.refuse(Refusal::Rate);
            return None;
        }
        let (peer, tag) = (sender.relayed, &sender.tag);
        let receiver = self.allocations.get(&to)?;
        // A channel may be older than who has its peer's address now.
        if !receiver.lives(now) || receiver.tag != *tag || !receiver.permits(from, now) {
            return None;
        }
        let framed = match receiver.channel_of(from, now) {
            Some(channel) => channel_data::frame(channel, data)?,
            None => Writer::new(Class::Indication, method::DATA, Transaction::default())
                .address(attribute::XOR_PEER_ADDRESS, peer)
                .attribute(attribute::DATA, data)
                .finish(),
        };
        let client = receiver.client;
        self.stats.bytes_out += data.len() as u64;
        for port in [from, to] {
            self.allocations.get_mut(&port)?.carried = now;
        }
        Some(Out::Deliver(client, framed))
    }
}
