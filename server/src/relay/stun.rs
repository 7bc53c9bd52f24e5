//! STUN messages (RFC 8489): a view of one that came, and a writer of one that goes out.

mod address;
mod crc;
#[cfg(test)]
mod tests;
mod writer;

use std::net::SocketAddr;

use ring::hmac;

pub use writer::Writer;

/// Names the protocol in each message.
const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
/// Bytes before the attributes.
const HEADER: usize = 20;
/// Bytes of MESSAGE-INTEGRITY, and of an attribute's type and length.
const DIGEST: usize = 20;
const ATTRIBUTE: usize = 4;
/// What the CRC-32 of a FINGERPRINT is mixed with.
const FINGERPRINT_MASK: u32 = 0x5354_554E;

/// The 96 bits that name a request, and the answer to it.
pub type Transaction = [u8; 12];

/// Which kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the terms of RFC 8489, section 5")]
pub enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// The methods of STUN and TURN, by their numbers.
#[allow(missing_docs, reason = "the terms of RFC 8489 and RFC 8656")]
pub mod method {
    pub const BINDING: u16 = 0x001;
    pub const ALLOCATE: u16 = 0x003;
    pub const REFRESH: u16 = 0x004;
    pub const SEND: u16 = 0x006;
    pub const DATA: u16 = 0x007;
    pub const CREATE_PERMISSION: u16 = 0x008;
    pub const CHANNEL_BIND: u16 = 0x009;
}

/// The types of attributes that the relay reads or writes.
#[allow(missing_docs, reason = "the terms of RFC 8489 and RFC 8656")]
pub mod attribute {
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub const CHANNEL_NUMBER: u16 = 0x000C;
    pub const LIFETIME: u16 = 0x000D;
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub const DATA: u16 = 0x0013;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const FINGERPRINT: u16 = 0x8028;
}

/// A message that came, whose attributes are all within it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// Where the attributes end that count: MESSAGE-INTEGRITY, or what is behind it, is none of them.
    end: usize,
}

impl<'a> Message<'a> {
    /// The message, if these bytes are one, and nothing else. A FINGERPRINT has to be right, and the last attribute.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] & 0xC0 != 0 || length % 4 != 0 || header[4..8] != COOKIE || bytes.len() != HEADER + length {
            return None;
        }
        let (mut at, mut end) = (HEADER, None);
        while at < bytes.len() {
            let (kind, value) = attribute_at(bytes, at)?;
            let next = at + ATTRIBUTE + value.len().next_multiple_of(4);
            match kind {
                attribute::MESSAGE_INTEGRITY if end.is_none() => end = Some(at),
                attribute::FINGERPRINT if next == bytes.len() => {
                    let right = crc::of(&bytes[..at]) ^ FINGERPRINT_MASK;
                    if value != right.to_be_bytes() {
                        return None;
                    }
                    end.get_or_insert(at);
                }
                attribute::FINGERPRINT => return None,
                _ => {}
            }
            at = next;
        }
        (at == bytes.len()).then_some(Self { bytes, end: end.unwrap_or(at) })
    }

    fn kind(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// See [`Class`].
    #[must_use]
    pub fn class(&self) -> Class {
        match (self.kind() & 0x100 != 0, self.kind() & 0x010 != 0) {
            (false, false) => Class::Request,
            (false, true) => Class::Indication,
            (true, false) => Class::Success,
            (true, true) => Class::Error,
        }
    }

    /// What it is about, see [`method`].
    #[must_use]
    pub fn method(&self) -> u16 {
        let kind = self.kind();
        (kind & 0x000F) | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2
    }

    /// See [`Transaction`].
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        let mut transaction = Transaction::default();
        transaction.copy_from_slice(&self.bytes[8..HEADER]);
        transaction
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The attributes in their order, those alone that a MESSAGE-INTEGRITY covers where there is one.
    pub fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let (bytes, mut at) = (&self.bytes[..self.end], HEADER);
        std::iter::from_fn(move || {
            let (kind, value) = attribute_at(bytes, at)?;
            at += ATTRIBUTE + value.len().next_multiple_of(4);
            Some((kind, value))
        })
    }

    /// The first attribute of this type.
    #[must_use]
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find_map(|(other, value)| (other == kind).then_some(value))
    }

    /// The first attribute of this type, if it is text.
    #[must_use]
    pub fn text(&self, kind: u16) -> Option<&'a str> {
        str::from_utf8(self.attribute(kind)?).ok()
    }

    /// The first attribute of this type, if it has four bytes.
    #[must_use]
    pub fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.attribute(kind)?.try_into().ok()?))
    }

    /// The attributes of this type as the addresses that they are; none for one that is no address.
    pub fn addresses(&self, kind: u16) -> impl Iterator<Item = Option<SocketAddr>> + use<'a> {
        let transaction = self.transaction();
        self.attributes().filter_map(move |(other, value)| (other == kind).then(|| address::read(value, &transaction)))
    }

    /// Whether it carries a MESSAGE-INTEGRITY, right or wrong.
    #[must_use]
    pub fn has_integrity(&self) -> bool {
        attribute_at(self.bytes, self.end).is_some_and(|(kind, _)| kind == attribute::MESSAGE_INTEGRITY)
    }

    /// Whether its MESSAGE-INTEGRITY shows that who sent it knows the key.
    #[must_use]
    pub fn is_proven_by(&self, key: &[u8]) -> bool {
        match attribute_at(self.bytes, self.end) {
            Some((attribute::MESSAGE_INTEGRITY, digest)) => {
                let mut signed = self.bytes[..self.end].to_vec();
                set_length(&mut signed, ATTRIBUTE + DIGEST);
                hmac::verify(&integrity_key(key), &signed, digest).is_ok()
            }
            _ => false,
        }
    }
}

fn integrity_key(key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key)
}

/// The attribute that begins there, without its padding, all of which is within the bytes.
fn attribute_at(bytes: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.get(at..)?.split_first_chunk::<ATTRIBUTE>()?;
    let [kind, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
    let length = usize::from(length);
    (length.next_multiple_of(4) <= rest.len()).then(|| (kind, &rest[..length]))
}

/// Writes into the header how long the message is once so many bytes follow.
fn set_length(bytes: &mut [u8], following: usize) {
    let length = u16::try_from(bytes.len() - HEADER + following).unwrap_or(u16::MAX);
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
}
