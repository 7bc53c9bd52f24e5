//! DTLS handshakes ([RFC 6347]) that outlive lost packets.
//!
//! The library stops its retransmission timer at any handshake record, one that it already had among them. So when a
//! flight of this side is lost and the other side repeats its own, this side never repeats the lost one: the handshake
//! hangs. Here a record that this side has answered already is kept from the library, whose timer then repeats the
//! answer.
//!
//! Repeats are let through when the library has no timer but answers each of them: after a `HelloVerifyRequest`, and
//! after the last flight.
//!
//! Can go when the library keeps its timer at a record that it had before.
//!
//! [RFC 6347]: https://www.rfc-editor.org/rfc/rfc6347#section-4.2.4

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

/// Content type, version, epoch, sequence number, length.
const RECORD_HEADER: usize = 13;
/// Message type, length, message sequence number, offset and length of the fragment.
const MESSAGE_HEADER: usize = 12;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const HELLO_VERIFY_REQUEST: u8 = 3;
/// An epoch so far ahead that a record of it is ignored.
const NEVER: [u8; 2] = [0xff, 0xff];
/// Data of that epoch: a record that the library reads and ignores.
pub(super) const UNHEARD_RECORD: [u8; RECORD_HEADER + 1] = [23, 0xfe, 0xfd, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0];
/// Fragments remembered at most. A handshake has a dozen messages.
const FRAGMENTS: usize = 64;

/// Message sequence number, offset and length, as in the header.
type Fragment = [u8; 8];

/// What passed of the handshake of one connection.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    heard: BTreeSet<Fragment>,
    answered: BTreeSet<Fragment>,
    is_server: bool,
    sent_finished: bool,
    is_over: bool,
}

impl Handshake {
    /// Whether there is nothing left to do.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Notes a datagram that this side sends.
    pub(super) fn sends(&mut self, datagram: &[u8]) {
        let mut rest = datagram;
        while let Some((record, following)) = record_length(rest).map(|length| rest.split_at(length)) {
            rest = following;
            match record[0] {
                HANDSHAKE if is_encrypted(record) => self.sent_finished = true,
                HANDSHAKE => {
                    for (message_type, _) in messages(record) {
                        self.is_server |= message_type == SERVER_HELLO;
                        if message_type != HELLO_VERIFY_REQUEST {
                            self.answered.append(&mut self.heard);
                        }
                    }
                }
                _ => {}
            }
        }
        self.is_over |= self.is_server && self.sent_finished;
    }

    /// Makes the library ignore those records of a received datagram that are answered already.
    pub(super) fn receives(&mut self, datagram: &mut [u8]) {
        let mut rest = datagram;
        while let Some((record, following)) = record_length(rest).map(|length| rest.split_at_mut(length)) {
            rest = following;
            if is_encrypted(record) {
                self.is_over |= self.sent_finished;
            } else if record[0] == HANDSHAKE && !self.is_over {
                if messages(record).all(|(_, fragment)| self.answered.contains(&fragment)) {
                    record[3..5].copy_from_slice(&NEVER);
                } else if self.heard.len() + self.answered.len() < FRAGMENTS {
                    self.heard.extend(messages(record).map(|(_, fragment)| fragment));
                }
            }
        }
    }
}

/// The length of the record that this begins with; `None` if it is not a whole record.
fn record_length(bytes: &[u8]) -> Option<usize> {
    let header = bytes.get(..RECORD_HEADER)?;
    let length = RECORD_HEADER + usize::from(u16::from_be_bytes([header[11], header[12]]));
    let is_dtls = (20..64).contains(&header[0]);
    (is_dtls && length <= bytes.len()).then_some(length)
}

fn is_encrypted(record: &[u8]) -> bool {
    record[3..5] != [0, 0]
}

/// The type and the fragment of each message in an unencrypted handshake record.
fn messages(record: &[u8]) -> impl Iterator<Item = (u8, Fragment)> {
    let mut rest = &record[RECORD_HEADER..];
    std::iter::from_fn(move || {
        let (header, body) = rest.split_at_checked(MESSAGE_HEADER)?;
        let fragment: Fragment = header[4..].try_into().ok()?;
        let length = u32::from_be_bytes([0, fragment[5], fragment[6], fragment[7]]) as usize;
        rest = body.get(length..).unwrap_or_default();
        Some((header[0], fragment))
    })
}
