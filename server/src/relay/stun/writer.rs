//! A message that goes out.

use std::net::SocketAddr;

use ring::hmac;

use super::{
    address, crc,
    terms::{ATTRIBUTE, COOKIE, Class, DIGEST, FINGERPRINT_MASK, Transaction, attribute, integrity_key, set_length},
};

/// Writes attributes in the order of its calls; the fingerprint is the last one.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    transaction: Transaction,
}

impl Writer {
    /// A message without attributes. Methods have 12 bits.
    #[must_use]
    pub fn new(class: Class, method: u16, transaction: Transaction) -> Self {
        let class = match class {
            Class::Request => 0,
            Class::Indication => 0x010,
            Class::Success => 0x100,
            Class::Error => 0x110,
        };
        let kind = (method & 0x000F) | (method & 0x0070) << 1 | (method & 0x0F80) << 2 | class;
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&COOKIE);
        bytes.extend_from_slice(&transaction);
        Self { bytes, transaction }
    }

    /// An attribute of at most 65,535 bytes; what is beyond is cut off.
    #[must_use]
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(&value[..usize::from(length)]);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// An attribute that is an address.
    #[must_use]
    pub fn address(self, kind: u16, address: SocketAddr) -> Self {
        let value = address::write(address, &self.transaction);
        self.attribute(kind, &value)
    }

    /// An ERROR-CODE from 300 to 699, with its words.
    #[must_use]
    pub fn error(self, code: u16, reason: &str) -> Self {
        let [class, number] = [code / 100, code % 100].map(|part| u8::try_from(part).unwrap_or_default());
        self.attribute(attribute::ERROR_CODE, &[&[0, 0, class, number], reason.as_bytes()].concat())
    }

    /// A MESSAGE-INTEGRITY of what was written so far.
    #[must_use]
    pub fn integrity(mut self, key: &[u8]) -> Self {
        set_length(&mut self.bytes, ATTRIBUTE + DIGEST);
        let digest = hmac::sign(&integrity_key(key), &self.bytes);
        self.attribute(attribute::MESSAGE_INTEGRITY, digest.as_ref())
    }

    /// A FINGERPRINT of what was written so far.
    #[must_use]
    pub fn fingerprint(mut self) -> Self {
        set_length(&mut self.bytes, ATTRIBUTE + 4);
        let crc = crc::of(&self.bytes) ^ FINGERPRINT_MASK;
        self.attribute(attribute::FINGERPRINT, &crc.to_be_bytes())
    }

    /// The message.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        set_length(&mut self.bytes, 0);
        self.bytes
    }
}
