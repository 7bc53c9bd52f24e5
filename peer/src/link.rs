//! The link to the signaling server.

mod backoff;
pub(crate) mod session;
pub(crate) mod url;
pub(crate) mod ws;

use grtc_protocol::{CloseCode, PeerId};
use tokio::sync::mpsc;

use crate::report::LocalCause;

/// Opens links to one room of a server. [`WebSocketLink`](ws::WebSocketLink) is the one that grtc's servers take; a test or a program with
/// another way to signal brings its own.
#[async_trait::async_trait]
pub trait SignalLink: Send + Sync + 'static {
    /// Opens a link and joins the room, under this id or one that the server makes.
    ///
    /// The first frame that comes over it is a `room_state`. What is sent into `outgoing` arrives in order or not at all.
    /// The link ends when `outgoing` is dropped, and says so with [`Incoming::End`] when it ends by itself.
    ///
    /// # Errors
    /// When there is no link to be had. [`LinkError::is_final`] says whether to try again.
    async fn open(&self, id: Option<&PeerId>) -> Result<LinkEnds, LinkError>;
}

/// Both ends of an open link.
#[derive(Debug)]
pub struct LinkEnds {
    /// Text frames to the server.
    pub outgoing: mpsc::Sender<String>,
    /// What comes from it.
    pub incoming: mpsc::Receiver<Incoming>,
}

/// What comes over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text frame of the server.
    Text(String),
    /// The link has ended.
    End(LinkError),
}

/// Why there is no link, or none any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Nobody answers there, or the link broke.
    #[error("{0}")]
    Unreachable(String),
    /// This machine can open no link: it has as many files open as it may.
    #[error("{0}")]
    Local(LocalCause),
    /// The server said no before there was a link.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable word of the refusal.
        code: String,
        /// A sentence.
        message: String,
    },
    /// The server closed the link.
    #[error("{message}")]
    Closed {
        /// The close code.
        code: u16,
        /// A sentence.
        message: String,
    },
}

impl LinkError {
    /// A stable word: `unreachable`, or what the server says.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Local(cause) => cause.code(),
            Self::Refused { code, .. } => code,
            Self::Closed { code, .. } => CloseCode::from_code(*code).map_or("closed", |code| code.word()),
        }
    }

    /// Whether the server wants no more tries. A link that broke, or ended with a code that says so, may be opened again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Local(_) => false,
            Self::Refused { status, .. } => (400..500).contains(status) && ![408, 425, 429].contains(status),
            // 1005, 1006 and 1015: it ended without one.
            Self::Closed { code: 1005 | 1006 | 1015, .. } => false,
            Self::Closed { code, .. } => !CloseCode::from_code(*code).is_some_and(CloseCode::reconnect),
        }
    }

    /// Whether it is the id that somebody else has in this room.
    pub(crate) fn is_name_taken(&self) -> bool {
        self.code() == CloseCode::PeerIdTaken.word()
    }

    /// Whether the server asks for another identity.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        use CloseCode::{NotAllowed, NotAuthenticated};
        match self {
            Self::Unreachable(_) | Self::Local(_) => false,
            Self::Refused { status, .. } => matches!(status, 401 | 403),
            Self::Closed { code, .. } => [NotAuthenticated.code(), NotAllowed.code()].contains(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(code: u16) -> LinkError {
        LinkError::Closed { code, message: String::new() }
    }

    fn refused(status: u16) -> LinkError {
        LinkError::Refused { status, code: String::new(), message: String::new() }
    }

    #[test]
    fn says_when_to_come_back() {
        for code in [1001, 1006, 1011, 1012, 1013, 4008, 4029, 4408, 1005] {
            assert!(!closed(code).is_final(), "{code}");
        }
        for code in [1000, 1002, 1007, 3999, 1008, 1009, 4001, 4003, 4401, 4403, 4409, 4423] {
            assert!(closed(code).is_final(), "{code}");
        }
        assert!([400, 401, 403, 404].map(refused).iter().all(LinkError::is_final));
        assert!(![408, 429, 500, 502, 503].map(refused).iter().any(LinkError::is_final));
        assert!(!LinkError::Unreachable(String::new()).is_final());
    }

    #[test]
    fn tells_a_refused_identity_from_the_rest() {
        assert!([closed(4401), closed(4403), refused(401), refused(403)].iter().all(LinkError::is_unauthorized));
        assert!(
            ![closed(4409), refused(400), LinkError::Unreachable(String::new())].iter().any(LinkError::is_unauthorized)
        );
        assert!(closed(4409).is_name_taken());
    }
}
