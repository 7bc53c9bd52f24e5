//! What both sides of STUN agree on: numbers, and how a message is signed.

use ring::hmac;

/// Names the protocol in each message.
pub(super) const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
/// Bytes before the attributes.
pub(super) const HEADER: usize = 20;
/// Bytes of MESSAGE-INTEGRITY, and of an attribute's type and length.
pub(super) const DIGEST: usize = 20;
pub(super) const ATTRIBUTE: usize = 4;
/// What the CRC-32 of a FINGERPRINT is mixed with.
pub(super) const FINGERPRINT_MASK: u32 = 0x5354_554E;

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
    pub const EVEN_PORT: u16 = 0x0018;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const DONT_FRAGMENT: u16 = 0x001A;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const FINGERPRINT: u16 = 0x8028;
}

pub(super) fn integrity_key(key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key)
}

/// Writes into the header how long the message is once so many bytes follow.
pub(super) fn set_length(bytes: &mut [u8], following: usize) {
    let length = u16::try_from(bytes.len() - HEADER + following).unwrap_or(u16::MAX);
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
}
