//! How a command ends.

use std::{io, process::ExitCode};

use grtc_peer::{JoinError, LinkError, NetworkError, Stage};
use grtc_protocol::CloseCode;

/// The exit codes, as `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Well = 0,
    Usage = 2,
    Identity = 10,
    Signaling = 20,
    Ice = 30,
    Dtls = 40,
    Channel = 50,
    Unmet = 60,
    Local = 70,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Stage> for Exit {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Local => Self::Local,
            Stage::Ice => Self::Ice,
            Stage::Dtls => Self::Dtls,
            Stage::Sctp => Self::Channel,
            _ => Self::Unmet,
        }
    }
}

impl From<&JoinError> for Exit {
    fn from(error: &JoinError) -> Self {
        match error {
            JoinError::Link(error) if error.is_unauthorized() => Self::Identity,
            JoinError::Link(LinkError::Local(_) | LinkError::Token(_)) => Self::Local,
            JoinError::Network(NetworkError::Unlisted(_) | NetworkError::Local(_) | NetworkError::Nothing) => {
                Self::Local
            }
            JoinError::Network(_) => Self::Usage,
            _ => Self::Signaling,
        }
    }
}

impl Exit {
    /// The exit code after the last line was printed or not. Who does not read to the end still gets it.
    pub(super) fn after(self, printed: io::Result<()>) -> Self {
        match printed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Self::Local,
            _ => self,
        }
    }

    /// The end of a stay that the server ended, by the word that it gave.
    pub(super) fn of_ended(code: &str) -> Self {
        match [CloseCode::NotAuthenticated, CloseCode::NotAllowed].iter().any(|known| known.word() == code) {
            true => Self::Identity,
            false => Self::Signaling,
        }
    }
}

/// Why a command did not get into its room.
#[derive(Debug)]
pub(super) struct NotJoined {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) exit: Exit,
}

impl NotJoined {
    pub(super) fn new(code: &str, message: String, exit: Exit) -> Self {
        Self { code: code.to_owned(), message, exit }
    }
}

impl From<JoinError> for NotJoined {
    fn from(error: JoinError) -> Self {
        Self::new(code(&error), error.to_string(), Exit::from(&error))
    }
}

/// The stable word for an error.
fn code(error: &JoinError) -> &str {
    match error {
        JoinError::Link(LinkError::Refused { status: 401, .. }) => CloseCode::NotAuthenticated.word(),
        JoinError::Link(LinkError::Refused { status: 403, .. }) => CloseCode::NotAllowed.word(),
        JoinError::Link(error) => error.code(),
        JoinError::Network(NetworkError::Local(cause)) => cause.code(),
        JoinError::Network(_) => "no_network",
        _ => "protocol",
    }
}
