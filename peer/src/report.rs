//! How a connection came about: phases, times, and what a failure says.

use std::{
    io,
    time::{Duration, Instant},
};

use grtc_protocol::PeerId;
use serde::{Deserialize, Serialize};

use crate::liveness::PairState;

/// The candidate pair in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidatePair {
    /// `host`, `srflx`, `prflx` or `relay`.
    pub local: String,
    /// The same of the other side.
    pub remote: String,
    /// `udp` or `tcp`.
    pub protocol: String,
}

/// How long each phase of an open took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// From the begin of the attempt until both descriptions were in place.
    pub signaling: f64,
    /// Until ICE had found a candidate pair.
    pub ice: f64,
    /// Until the handshake was done.
    pub dtls: f64,
    /// Until the data channel was open.
    pub sctp: f64,
    /// All of it.
    pub total: f64,
}

/// How far a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// No connection was even begun, because of this machine.
    Local,
    /// The descriptions were not exchanged: the other side did not answer.
    Signaling,
    /// No candidate pair worked.
    Ice,
    /// The handshake did not end.
    Dtls,
    /// The data channel did not open.
    Sctp,
}

impl Stage {
    /// The stable word for a connection that ended here.
    #[must_use]
    pub const fn failure(self) -> &'static str {
        match self {
            Self::Local => "local_failed",
            Self::Signaling => "no_answer",
            Self::Ice => "ice_failed",
            Self::Dtls => "dtls_failed",
            Self::Sctp => "channel_failed",
        }
    }

    /// A sentence about it.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Local => "this machine could not begin a connection",
            Self::Signaling => "the other side did not answer the offer",
            Self::Ice => {
                "no network path was found: a firewall or NAT is in the way, try an --ice-server with TURN on both sides"
            }
            Self::Dtls => "a network path was found, but the handshake did not end",
            Self::Sctp => "the connection is secured, but the data channel did not open",
        }
    }
}

/// What this machine lacks to make a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalCause {
    /// The process has as many files open as it may.
    #[error("this process may open no more files: raise the limit (ulimit -n), or connect to fewer peers")]
    OutOfFiles,
    /// No address is left to send from.
    #[error("this machine has no usable network address: is an interface up?")]
    NoAddress,
    /// Something else.
    #[error("no socket can be made: {0}")]
    NoSocket(String),
}

impl LocalCause {
    /// The stable word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfFiles => "out_of_files",
            Self::NoAddress => "no_address",
            Self::NoSocket(_) => "no_socket",
        }
    }

    /// Whether an error of the system says that no more files can be opened.
    pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
        // EMFILE and ENFILE have these numbers on every Unix; no `ErrorKind` names them.
        cfg!(unix) && matches!(error.raw_os_error(), Some(24 | 23))
    }
}

impl From<io::Error> for LocalCause {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            _ if Self::is_out_of_files(&error) => Self::OutOfFiles,
            io::ErrorKind::AddrNotAvailable => Self::NoAddress,
            _ => Self::NoSocket(error.to_string()),
        }
    }
}

/// How the connection to another peer is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeerStatus {
    /// Who.
    pub peer_id: PeerId,
    /// Whether it is in the room now; an open channel may outlive its link to the server.
    pub present: bool,
    /// How far the connection is.
    pub state: PairState,
    /// How far the connection came that is being made, or could not be made.
    pub stage: Option<Stage>,
    /// The candidate pair in use, when it is open.
    pub pair: Option<CandidatePair>,
    /// How long the open took, when it is open.
    pub timings: Option<Timings>,
    /// The round-trip time, when it is open and was measured.
    pub round_trip_ms: Option<f64>,
}

/// Notes when each phase ended. What is noted first counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    begin: Instant,
    signaled: Option<Instant>,
    found: Option<Instant>,
    secured: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(now: Instant) -> Self {
        Self { begin: now, signaled: None, found: None, secured: None }
    }

    /// The phase is over.
    pub(crate) fn ended(&mut self, stage: Stage, now: Instant) {
        let noted = match stage {
            Stage::Signaling => &mut self.signaled,
            Stage::Ice => &mut self.found,
            Stage::Dtls => &mut self.secured,
            Stage::Local | Stage::Sctp => return,
        };
        noted.get_or_insert(now);
    }

    /// The phase that is under way.
    pub(crate) fn stage(&self) -> Stage {
        match (self.signaled, self.found, self.secured) {
            (_, _, Some(_)) => Stage::Sctp,
            (_, Some(_), None) => Stage::Dtls,
            (Some(_), None, None) => Stage::Ice,
            (None, None, None) => Stage::Signaling,
        }
    }

    /// The times of a connection that is open `now`. A phase whose end was not seen before the next one's took no time.
    pub(crate) fn timings(&self, now: Instant) -> Timings {
        let secured = self.secured.unwrap_or(now).min(now);
        let found = self.found.unwrap_or(secured).min(secured);
        let signaled = self.signaled.unwrap_or(found).min(found);
        let ms = |from: Instant, to: Instant| round(to.saturating_duration_since(from));
        Timings {
            signaling: ms(self.begin, signaled),
            ice: ms(signaled, found),
            dtls: ms(found, secured),
            sctp: ms(secured, now),
            total: ms(self.begin, now),
        }
    }
}

fn round(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_add_up_even_when_one_was_not_seen() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut progress = Progress::new(begin);
        assert_eq!(progress.stage(), Stage::Signaling);
        progress.ended(Stage::Signaling, at(10));
        progress.ended(Stage::Signaling, at(11));
        assert_eq!(progress.stage(), Stage::Ice);
        progress.ended(Stage::Ice, at(30));
        assert_eq!(progress.stage(), Stage::Dtls);
        let all = Timings { signaling: 10.0, ice: 20.0, dtls: 30.0, sctp: 0.0, total: 60.0 };
        assert_eq!(progress.timings(at(60)), all);
        progress.ended(Stage::Dtls, at(50));
        assert_eq!(progress.stage(), Stage::Sctp);
        assert_eq!(progress.timings(at(60)), Timings { dtls: 20.0, sctp: 10.0, ..all });
    }
}
