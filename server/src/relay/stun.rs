//! STUN messages (RFC 8489): a view of one that came, and a writer of one that goes out.

mod address;
mod crc;
mod terms;
#[cfg(test)]
mod tests;
mod writer;

use std::net::SocketAddr;

use ring::hmac;

pub use terms::{Class, Transaction, attribute, method};
pub use writer::Writer;

use terms::{ATTRIBUTE, COOKIE, DIGEST, FINGERPRINT_MASK, HEADER, integrity_key, set_length};

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
        let of_kind = self.attributes().filter(move |(other, _)| *other == kind);
        of_kind.map(move |(_, value)| address::read(value, &transaction))
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

/// The attribute that begins there, without its padding, all of which is within the bytes.
fn attribute_at(bytes: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.get(at..)?.split_first_chunk::<ATTRIBUTE>()?;
    let [kind, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
    let length = usize::from(length);
    (length.next_multiple_of(4) <= rest.len()).then(|| (kind, &rest[..length]))
}
