//! The link to the signaling server.

mod advice;
pub(crate) mod backoff;
mod outbox;
mod patience;
mod renewal;
pub(crate) mod roots;
pub(crate) mod session;
mod silence;
pub(crate) mod url;
pub(crate) mod ws;

use std::{fmt, time::Duration};

use grtc_protocol::{CloseCode, PeerId};
use tokio::sync::mpsc;

use crate::{limits::RETRY_HINT_LAST, report::LocalCause};

/// Opens links to one room of a server. [`WebSocketLink`](ws::WebSocketLink) is the one that grtc's servers take; a test or a program with
/// another way to signal brings its own.
#[async_trait::async_trait]
pub trait SignalLink: Send + Sync + 'static {
    /// Opens a link and joins the room.
    ///
    /// The first frame that comes over it is a `room_state`. What is sent into `outgoing` arrives in order or not at all.
    /// The link breaks when `outgoing` is dropped, and says so with [`Incoming::End`] when it ends by itself.
    ///
    /// # Errors
    /// When there is no link to be had. [`LinkError::is_final`] says whether to try again.
    async fn open(&self, join: &Join) -> Result<LinkEnds, LinkError>;
}

/// Who joins. It asks to be able to come back; a server that does not know of that ignores it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Join {
    /// The id to join under. Without it the server makes one.
    pub id: Option<PeerId>,
    /// What it comes back with.
    pub back: Option<Back>,
}

/// What somebody comes back with whose link was lost.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Back {
    /// The `resume_token` of the last `room_state`: a secret.
    pub token: String,
    /// How many text frames have come since.
    pub received: u64,
}

impl fmt::Debug for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Back").field("received", &self.received).finish_non_exhaustive()
    }
}

/// Both ends of an open link.
#[derive(Debug)]
pub struct LinkEnds {
    /// What goes to the server.
    pub outgoing: mpsc::Sender<Outgoing>,
    /// What comes from it.
    pub incoming: mpsc::Receiver<Incoming>,
}

/// What goes over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text frame to the server.
    Text(String),
    /// The link may be dead: the server is to give a sign of life within this time, or the link has ended.
    Probe(Duration),
    /// The goodbye. Nothing follows, and the link ends.
    Leave,
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
    /// There is no token to show to the server.
    #[error("{0}")]
    Token(String),
    /// The token that the server was shown has ended, and there is a newer one.
    #[error("the token has ended, and there is a newer one")]
    TokenReplaced,
    /// The server said no before there was a link.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable word of the refusal.
        code: String,
        /// A sentence.
        message: String,
        /// How long to wait before the next try.
        retry_after: Option<Duration>,
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
            Self::Token(_) => "token_file",
            Self::TokenReplaced => "token_replaced",
            Self::Refused { code, .. } => code,
            Self::Closed { code, .. } => CloseCode::from_code(*code).map_or("closed", |code| code.word()),
        }
    }

    /// Whether the server wants no more tries. A link that broke, or ended with a code that says so, may be opened again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Local(_) | Self::Token(_) | Self::TokenReplaced => false,
            Self::Refused { status, .. } => (400..500).contains(status) && ![408, 425, 429].contains(status),
            // 1005, 1006 and 1015: it ended without one.
            Self::Closed { code: 1005 | 1006 | 1015, .. } => false,
            Self::Closed { code, .. } => !CloseCode::from_code(*code).is_some_and(CloseCode::reconnect),
        }
    }

    /// How long the server asks to wait before the next try: `Retry-After`, or `retry in N ms` as the reason of its close.
    pub(crate) fn retry_hint(&self) -> Option<Duration> {
        let hint = match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Closed { message, .. } => {
                let ms = message.strip_prefix("retry in ")?.strip_suffix(" ms")?;
                ms.parse().ok().map(Duration::from_millis)
            }
            Self::Unreachable(_) | Self::Local(_) | Self::Token(_) | Self::TokenReplaced => None,
        };
        hint.map(|hint| hint.min(RETRY_HINT_LAST))
    }

    /// Whether nothing speaks against another try at once: the server lives, and the link was dead or had an old token.
    pub(crate) fn may_return_at_once(&self) -> bool {
        matches!(self, Self::TokenReplaced) || self.code() == CloseCode::NoHeartbeat.word()
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
            Self::Unreachable(_) | Self::Local(_) | Self::Token(_) | Self::TokenReplaced => false,
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
        LinkError::Refused { status, code: String::new(), message: String::new(), retry_after: None }
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
    fn reads_when_the_server_wants_to_be_tried_again() {
        let restarts = |message: &str| LinkError::Closed { code: 1012, message: message.to_owned() }.retry_hint();
        assert_eq!(restarts("retry in 4321 ms"), Some(Duration::from_millis(4_321)));
        for reason in ["", "the server restarts", "retry in ms", "retry in -1 ms", "retry in 5 s"] {
            assert_eq!(restarts(reason), None, "{reason}");
        }
        assert_eq!(restarts("retry in 18446744073709551615 ms"), Some(RETRY_HINT_LAST));
        let LinkError::Refused { code, message, status, .. } = refused(503) else { panic!() };
        let overloaded = LinkError::Refused { code, message, status, retry_after: Some(Duration::from_secs(7)) };
        assert_eq!(overloaded.retry_hint(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_token_is_not_printed() {
        let join = Join { id: None, back: Some(Back { token: "canary".to_owned(), received: 7 }) };
        let printed = format!("{join:?}");
        assert!(printed.contains('7') && !printed.contains("canary"), "{printed}");
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
