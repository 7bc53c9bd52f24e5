//! What the two sides say about sizes in their descriptions: how long a message may be (RFC 8841), and, between peers of
//! this kind, how much the receiver's UDP socket holds.

use crate::limits::{MESSAGE_BYTES, UNSAID_MESSAGE_BYTES, UNSAID_SOCKET_BYTES};

/// The attribute by which a peer of this kind says what its UDP socket holds.
pub(super) const SOCKET: &str = "grtc-socket-buffer";

/// The version of streams that this side has.
const OWN_VERSION: &str = "1";

/// What one side takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// The longest message, in bytes.
    pub(super) message: usize,
    /// What its UDP socket holds, in bytes.
    pub(super) socket: usize,
}

impl Sizes {
    /// Those of a side that says this of its longest message and of its socket.
    pub(super) fn said(message: Option<&str>, socket: Option<&str>) -> Self {
        Self {
            message: match message.and_then(number) {
                // Any length.
                Some(0) => MESSAGE_BYTES,
                Some(said) => said.min(MESSAGE_BYTES),
                None => UNSAID_MESSAGE_BYTES,
            },
            socket: socket.and_then(number).unwrap_or(UNSAID_SOCKET_BYTES),
        }
    }
}

/// A number of any length: one that is too large for this machine is the largest here.
fn number(said: &str) -> Option<usize> {
    (!said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit())).then(|| said.parse().unwrap_or(usize::MAX))
}

/// The attribute by which an offer says which versions of streams its side has.
pub(super) const STREAMS: &str = "grtc-streams";
/// The same of an answer: another word, since some answer with every attribute of the offer, whether they know it or not.
pub(super) const STREAMS_TAKEN: &str = "grtc-streams-taken";

/// Whether one of these versions of streams is this side's.
pub(super) fn has_streams(said: Option<&str>) -> bool {
    said.is_some_and(|versions| versions.split_whitespace().any(|version| version == OWN_VERSION))
}

/// An own description, whose one section is that of the data channels, with what this side's UDP sockets hold and, by this
/// attribute, that it has streams.
pub(super) fn announcing(sdp: &str, socket: usize, streams: &str) -> String {
    format!("{sdp}a={SOCKET}:{socket}\r\na={streams}:{OWN_VERSION}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_what_was_said_or_the_smaller_default() {
        for (said, message) in [
            (None, 65_535),
            (Some("0"), 262_144),
            (Some("65536"), 65_536),
            (Some("1200"), 1_200),
            (Some("1073741823"), 262_144),
            (Some("18446744073709551616"), 262_144),
            (Some("many"), 65_535),
            (Some("-1"), 65_535),
            (Some(""), 65_535),
        ] {
            assert_eq!(Sizes::said(said, None), Sizes { message, socket: UNSAID_SOCKET_BYTES }, "{said:?}");
        }
        assert_eq!(Sizes::said(None, Some("212992")).socket, 212_992);
    }

    #[test]
    fn streams_are_had_in_one_of_the_versions() {
        assert!(["1", "2 1", " 1 3"].iter().all(|said| has_streams(Some(said))));
        assert!(![Some("2"), Some(""), Some("11"), Some("1,2"), None].iter().any(|said| has_streams(*said)));
    }
}
