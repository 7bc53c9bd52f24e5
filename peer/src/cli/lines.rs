//! Lines of stdin for everybody, each kept until somebody has acknowledged it.

mod sender;
mod stdin;
#[cfg(test)]
mod tests;

use std::future::Future;

use grtc_peer::{Peer, PeerId, SendError};

pub(super) use self::{
    sender::Sender,
    stdin::{Line, read},
};

/// Whom lines are sent to. A test has another one than [`Peer`].
pub(super) trait Audience: Send + Sync + 'static {
    fn connected(&self) -> Vec<PeerId>;
    fn send(&self, to: &PeerId, line: &str) -> impl Future<Output = Result<(), SendError>> + Send;
    /// Waits until everything that was sent to it is acknowledged.
    fn flush(&self, to: &PeerId) -> impl Future<Output = Result<(), SendError>> + Send;
}

impl Audience for Peer {
    fn connected(&self) -> Vec<PeerId> {
        self.connected()
    }

    async fn send(&self, to: &PeerId, line: &str) -> Result<(), SendError> {
        self.send(to, line).await
    }

    async fn flush(&self, to: &PeerId) -> Result<(), SendError> {
        self.flush(to).await
    }
}

/// Something to tell of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    /// The peer that it is about.
    pub(super) peer: Option<PeerId>,
    pub(super) message: String,
}

/// How far the lines are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Lines that were read and nobody has acknowledged.
    pub(super) waiting: usize,
    /// Lines that nobody can take.
    pub(super) refused: usize,
    /// The end of stdin was reached.
    pub(super) ended: bool,
    /// All lines were read, and whoever got them has acknowledged them.
    pub(super) delivered: bool,
    /// Stdin can't be read.
    pub(super) broken: bool,
}
