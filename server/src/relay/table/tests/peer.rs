//! Clients of a table, and their time.

use super::super::*;
use crate::relay::{
    channel_data,
    credentials::{Key, REALM},
    stun::{Class, Message, Writer, attribute, method},
};

/// A table and when it is.
pub(super) struct World {
    pub(super) table: Table,
    pub(super) now: Moment,
    secret: Secret,
    clients: u16,
}

/// One that has asked for credentials, and perhaps has an allocation.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) client: Client,
    pub(super) username: String,
    pub(super) key: Key,
    pub(super) nonce: String,
    pub(super) relayed: SocketAddr,
    pub(super) transaction: u8,
}

/// An answer, which its bytes hold.
pub(super) struct Answer(Vec<u8>);

/// Whom data was delivered to, from where if that was said, and what.
pub(super) type Delivered = (Client, Option<SocketAddr>, Vec<u8>);

pub(super) fn peer_address(number: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], number))
}

pub(super) fn request(method: u16) -> Writer {
    Writer::new(Class::Request, method, [9; 12])
}

impl Answer {
    fn message(&self) -> Message<'_> {
        Message::parse(&self.0).unwrap()
    }

    pub(super) fn address(&self, kind: u16) -> Option<SocketAddr> {
        self.message().addresses(kind).next().flatten()
    }

    /// 200 for one without an error.
    pub(super) fn code(&self) -> u16 {
        match self.message().attribute(attribute::ERROR_CODE) {
            Some(value) => u16::from(value[2]) * 100 + u16::from(value[3]),
            None => 200,
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let secret = Secret::new(b"secret");
        let relayed = (Ipv4Addr::new(203, 0, 113, 9), "2001:db8::9".parse().unwrap());
        let mut settings = Settings {
            secret: secret.clone(),
            relayed,
            allocations: 10_000,
            allocations_per_user: 64,
            rate: None,
            first: 16_383,
        };
        change(&mut settings);
        let now = Moment { at: Duration::from_secs(5), unix: 1_700_000_000 };
        Self { table: Table::new(settings), now, secret, clients: 0 }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now.at += Duration::from_secs(seconds);
        self.now.unix += seconds;
    }

    /// The answer by UDP, if there is one.
    pub(super) fn ask(&mut self, from: SocketAddr, bytes: &[u8]) -> Option<Answer> {
        self.ask_as(Client::Udp(from, None), bytes)
    }

    /// The answer, if there is one; it has the request's transaction and a right fingerprint.
    fn ask_as(&mut self, client: Client, bytes: &[u8]) -> Option<Answer> {
        let Out::Reply(reply) = self.table.input(client, bytes, self.now) else { return None };
        let answer = Answer(reply);
        assert_eq!(answer.message().transaction(), Message::parse(bytes).unwrap().transaction());
        Some(answer)
    }

    /// The code of the answer; 0 without one.
    pub(super) fn code(&mut self, client: Client, bytes: &[u8]) -> u16 {
        self.ask_as(client, bytes).map_or(0, |answer| answer.code())
    }

    /// A nonce of now, as who asks without credentials is told.
    pub(super) fn nonce(&mut self) -> String {
        let answer = self.ask(peer_address(1), &request(method::ALLOCATE).finish()).unwrap();
        assert_eq!(answer.code(), 401);
        assert_eq!(answer.message().text(attribute::REALM), Some(REALM));
        answer.message().text(attribute::NONCE).unwrap().to_owned()
    }

    pub(super) fn peer(&mut self, room: &str, who: &str) -> Peer {
        self.clients += 1;
        let client = Client::Udp(peer_address(10_000 + self.clients), None);
        let username = self.secret.issue(room, who, self.now.unix).username;
        let key = self.secret.key(&username);
        Peer { client, key, username, nonce: self.nonce(), relayed: peer_address(0), transaction: 1 }
    }

    pub(super) fn allocate(&mut self, room: &str, who: &str) -> Result<Peer, u16> {
        let peer = self.peer(room, who);
        let answer = self.ask(peer.client.address(), &peer.allocate()).unwrap();
        assert!(answer.message().is_proven_by(&peer.key));
        let relayed = answer.address(attribute::XOR_RELAYED_ADDRESS).ok_or(answer.code())?;
        assert!(relayed.port() >= FIRST_PORT);
        assert_eq!(answer.address(attribute::XOR_MAPPED_ADDRESS), Some(peer.client.address()));
        Ok(Peer { relayed, ..peer })
    }

    pub(super) fn refresh(&mut self, peer: &Peer, seconds: u32) -> u16 {
        let request = peer.begin(method::REFRESH).attribute(attribute::LIFETIME, &seconds.to_be_bytes());
        self.code(peer.client, &peer.sign(request))
    }

    /// The address of an allocation that is there: the answer to the same request has it.
    pub(super) fn relayed_of(&mut self, peer: &Peer) -> SocketAddr {
        self.ask_as(peer.client, &peer.allocate()).unwrap().address(attribute::XOR_RELAYED_ADDRESS).unwrap()
    }

    pub(super) fn permit(&mut self, peer: &Peer, address: SocketAddr) -> u16 {
        self.permit_all(peer, &[address])
    }

    pub(super) fn permit_all(&mut self, peer: &Peer, addresses: &[SocketAddr]) -> u16 {
        let begun = peer.begin(method::CREATE_PERMISSION);
        let request = addresses.iter().fold(begun, |writer, to| writer.address(attribute::XOR_PEER_ADDRESS, *to));
        self.code(peer.client, &peer.sign(request))
    }

    pub(super) fn bind(&mut self, peer: &Peer, channel: u16, address: SocketAddr) -> u16 {
        let [high, low] = channel.to_be_bytes();
        let request = peer.begin(method::CHANNEL_BIND).attribute(attribute::CHANNEL_NUMBER, &[high, low, 0, 0]);
        self.code(peer.client, &peer.sign(request.address(attribute::XOR_PEER_ADDRESS, address)))
    }

    pub(super) fn send(&mut self, peer: &Peer, to: SocketAddr, data: &[u8]) -> Option<Delivered> {
        let indication = Writer::new(Class::Indication, method::SEND, [3; 12]);
        let indication = indication.address(attribute::XOR_PEER_ADDRESS, to).attribute(attribute::DATA, data);
        self.delivered(peer.client, &indication.finish())
    }

    pub(super) fn channel(&mut self, peer: &Peer, channel: u16, data: &[u8]) -> Option<Delivered> {
        self.delivered(peer.client, &channel_data::frame(channel, data).unwrap())
    }

    fn delivered(&mut self, client: Client, bytes: &[u8]) -> Option<Delivered> {
        let (to, framed) = match self.table.input(client, bytes, self.now) {
            Out::Deliver(to, framed) => (to, framed),
            other => {
                assert_eq!(other, Out::Nothing);
                return None;
            }
        };
        if let Some((_, data)) = channel_data::parse(&framed) {
            return Some((to, None, data.to_vec()));
        }
        let message = Message::parse(&framed).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Indication, method::DATA));
        let from = message.addresses(attribute::XOR_PEER_ADDRESS).next().flatten();
        Some((to, from, message.attribute(attribute::DATA).unwrap().to_vec()))
    }
}

impl Peer {
    /// A request with credentials, not signed yet.
    pub(super) fn begin(&self, method: u16) -> Writer {
        Writer::new(Class::Request, method, [self.transaction; 12])
            .attribute(attribute::USERNAME, self.username.as_bytes())
            .attribute(attribute::REALM, REALM.as_bytes())
            .attribute(attribute::NONCE, self.nonce.as_bytes())
    }

    pub(super) fn sign(&self, writer: Writer) -> Vec<u8> {
        writer.integrity(&self.key).fingerprint().finish()
    }

    pub(super) fn allocate(&self) -> Vec<u8> {
        self.sign(self.begin(method::ALLOCATE).attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]))
    }
}
