//! What requests are answered with.

use super::stats::Refusal;
use crate::relay::stun::{Class, Message, Writer, attribute};

/// Attributes that have to be understood (those below 0x8000), and are.
const KNOWN: [u16; 13] = [
    attribute::USERNAME,
    attribute::CHANNEL_NUMBER,
    attribute::LIFETIME,
    attribute::XOR_PEER_ADDRESS,
    attribute::DATA,
    attribute::REALM,
    attribute::NONCE,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::EVEN_PORT,
    attribute::REQUESTED_TRANSPORT,
    // No datagram is taken apart here.
    attribute::DONT_FRAGMENT,
    attribute::XOR_RELAYED_ADDRESS,
    attribute::XOR_MAPPED_ADDRESS,
];
/// The first of those that may be passed over.
const OPTIONAL: u16 = 0x8000;
/// Unknown attributes that are named in an answer.
const NAMED: usize = 8;

/// Why a request is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    BadRequest,
    /// With a realm and a nonce, to try again.
    Unauthenticated,
    StaleNonce,
    Forbidden,
    Unknown,
    Mismatch,
    Family,
    WrongCredentials,
    Transport,
    Quota,
    Capacity,
}

impl Fault {
    /// The code and its words (RFC 8489, section 14.8, and RFC 8656, section 19).
    pub(super) fn code(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request"),
            Self::Unauthenticated => (401, "Unauthenticated"),
            Self::Forbidden => (403, "Forbidden"),
            Self::Unknown => (420, "Unknown Attribute"),
            Self::Mismatch => (437, "Allocation Mismatch"),
            Self::StaleNonce => (438, "Stale Nonce"),
            Self::Family => (440, "Address Family not Supported"),
            Self::WrongCredentials => (441, "Wrong Credentials"),
            Self::Transport => (442, "Unsupported Transport Protocol"),
            Self::Quota => (486, "Allocation Quota Reached"),
            Self::Capacity => (508, "Insufficient Capacity"),
        }
    }

    /// Whether who asked is to try again with another nonce.
    pub(super) fn is_challenge(self) -> bool {
        matches!(self, Self::Unauthenticated | Self::StaleNonce)
    }

    /// As what it is counted.
    pub(super) fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Forbidden => Some(Refusal::Peer),
            Self::WrongCredentials => Some(Refusal::Auth),
            Self::Quota => Some(Refusal::Quota),
            Self::Capacity => Some(Refusal::Capacity),
            _ => None,
        }
    }
}

/// An answer without its attributes.
pub(super) fn success(message: &Message<'_>) -> Writer {
    Writer::new(Class::Success, message.method(), message.transaction())
}

/// The answer to a request that is not done.
pub(super) fn failure(message: &Message<'_>, fault: Fault) -> Writer {
    let (code, reason) = fault.code();
    let writer = Writer::new(Class::Error, message.method(), message.transaction()).error(code, reason);
    match fault {
        Fault::Unknown => {
            let names: Vec<u8> = unknown(message).take(NAMED).flat_map(u16::to_be_bytes).collect();
            writer.attribute(attribute::UNKNOWN_ATTRIBUTES, &names)
        }
        _ => writer,
    }
}

/// The attributes that would have to be understood, and are not.
pub(super) fn unknown(message: &Message<'_>) -> impl Iterator<Item = u16> {
    message.attributes().map(|(kind, _)| kind).filter(|kind| *kind < OPTIONAL && !KNOWN.contains(kind))
}
