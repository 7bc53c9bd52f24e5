//! What a peer tells its program.

use std::time::Duration;

use bytes::Bytes;
use grtc_protocol::{PeerId, RoomId, server::LeaveReason};
use serde_json::{Map, Value};

use crate::report::{CandidatePair, LocalCause, Stage, Timings};

/// Something happened in the room.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// This peer is in the room: once at the start, and again after each lost link.
    Joined {
        /// Its own id.
        peer_id: PeerId,
        /// The room.
        room_id: RoomId,
        /// Everybody else, in the order in which they joined.
        peers: Vec<PeerId>,
        /// After a lost link: whether nothing was missed, and what happened meanwhile follows. `None` at the start, and of a
        /// server that keeps nobody's place.
        recovered: Option<bool>,
    },
    /// Somebody came.
    PeerJoined {
        /// Who.
        peer_id: PeerId,
    },
    /// Somebody went. An open channel to it may live on for a while when its link broke.
    PeerLeft {
        /// Who.
        peer_id: PeerId,
        /// Why, if the server says so.
        reason: Option<LeaveReason>,
    },
    /// Somebody's link broke, and the server keeps its place: it is still in the room, and may come back.
    PeerAway {
        /// Who.
        peer_id: PeerId,
    },
    /// Somebody who was away is back, and gets what it missed.
    PeerBack {
        /// Who.
        peer_id: PeerId,
    },
    /// What somebody says about itself: when it says so, and after a join what it has said before.
    PeerUpdated {
        /// Who.
        peer_id: PeerId,
        /// A name and a color, for instance.
        metadata: Map<String, Value>,
    },
    /// A connection is being made.
    Connecting {
        /// With whom.
        peer_id: PeerId,
    },
    /// The data channel is open.
    Connected {
        /// With whom.
        peer_id: PeerId,
        /// The candidate pair in use.
        pair: CandidatePair,
        /// How long each phase took.
        timings: Timings,
    },
    /// A message came.
    Message {
        /// Who sent it.
        from: PeerId,
        /// What.
        payload: Payload,
        /// Which way it came.
        via: Via,
    },
    /// What was sent and not delivered is lost, or waits for a connection that could not be made: the peer has left or was
    /// restarted, an [`Event::Failed`] follows, or the connection to a client without streams broke. Another one is made as
    /// long as the peer is in the room.
    Disconnected {
        /// With whom.
        peer_id: PeerId,
    },
    /// Nothing comes from the peer, or the connection broke: another one is being made. What is sent meanwhile waits, and
    /// arrives when there is one.
    Interrupted {
        /// From whom.
        peer_id: PeerId,
        /// A sentence.
        why: String,
    },
    /// After an [`Event::Interrupted`] messages go again; none was lost.
    Recovered {
        /// To and from whom.
        peer_id: PeerId,
        /// How long they did not.
        gap: Duration,
    },
    /// No connection could be made, after several tries. It is tried again when something changes: the other one is back, or
    /// offers, or this machine has other addresses.
    Failed {
        /// With whom.
        peer_id: PeerId,
        /// How far the last one came.
        stage: Stage,
        /// A sentence.
        message: String,
    },
    /// A description can't be used: the other side's by this one, or this side's by the other one. More tries may follow.
    Refused {
        /// Whose connection it is about.
        peer_id: PeerId,
        /// A sentence. It may be the other side's.
        message: String,
    },
    /// A connection could not even be begun, because of this machine. It is tried again.
    LocalFailure {
        /// With whom.
        peer_id: PeerId,
        /// What is missing.
        cause: LocalCause,
    },
    /// The link to the server is lost; it is opened again after `delay`. Open channels go on meanwhile.
    Reconnecting {
        /// From 1.
        attempt: u32,
        /// The wait before it.
        delay: Duration,
        /// What is known of the reason: a sentence.
        why: String,
    },
    /// The server could not take something.
    ServerError {
        /// A stable word.
        code: String,
        /// A sentence.
        message: String,
    },
    /// The server has ended this peer's stay, for good. The last event.
    Ended {
        /// A stable word, see [`grtc_protocol::CloseCode::word`].
        code: String,
        /// A sentence.
        message: String,
    },
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Text, as everything on the `chat` channel usually is.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Payload {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

/// Which way a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// Over a data channel.
    P2p,
    /// Through the server.
    Relay,
}

impl Via {
    /// `p2p` or `relay`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::P2p => "p2p",
            Self::Relay => "relay",
        }
    }
}
