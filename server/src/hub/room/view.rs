//! A room as administrators see it.

use std::sync::Arc;

use grtc_protocol::{PeerId, client::ClientMessage};
use jiff::Timestamp;

/// A peer as administrators see it.
#[derive(Debug)]
pub(crate) struct PeerView {
    pub(crate) peer: PeerId,
    /// Whose token it came with, if that says so.
    pub(crate) sub: Option<Arc<str>>,
    pub(crate) joined_at: Timestamp,
    pub(crate) away: bool,
    pub(crate) traffic: Traffic,
    /// Bytes that wait for it.
    pub(crate) queued_bytes: usize,
}

/// What went by a peer since it joined: messages for others, and frames of the room for it. Bytes are those of the data in,
/// and of whole frames out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) messages_in: u64,
    pub(crate) messages_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Traffic {
    /// A message of the peer's has come.
    pub(super) fn comes(&mut self, message: &ClientMessage<'_>) {
        if let ClientMessage::Signal { signal: data, .. }
        | ClientMessage::Direct { data, .. }
        | ClientMessage::Broadcast { data } = message
        {
            self.messages_in += 1;
            self.bytes_in += data.len() as u64;
        }
    }

    /// A frame of so many bytes has gone to it.
    pub(super) fn goes(&mut self, bytes: usize) {
        self.messages_out += 1;
        self.bytes_out += bytes as u64;
    }
}
