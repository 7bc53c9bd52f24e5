//! Whom lines and texts are sent to, and what is said of them.

use std::future::Future;

use grtc_peer::{Peer, PeerId, SendError};

/// Whom lines are sent to. A test has another one than [`Peer`].
pub(crate) trait Audience: Send + Sync + 'static {
    fn connected(&self) -> Vec<PeerId>;
    fn send(&self, to: &PeerId, line: &str) -> impl Future<Output = Result<(), SendError>> + Send;
    /// Waits until everything that was sent to it is acknowledged: as much as `mark` says that it is.
    fn flush<T: Send>(
        &self,
        to: &PeerId,
        mark: impl Fn() -> T + Send + Sync,
    ) -> impl Future<Output = Result<T, SendError>> + Send;
}

impl Audience for Peer {
    fn connected(&self) -> Vec<PeerId> {
        self.connected()
    }

    async fn send(&self, to: &PeerId, line: &str) -> Result<(), SendError> {
        // The flush waits for what comes of it.
        self.queue(to, line).await.map(drop)
    }

    async fn flush<T: Send>(&self, to: &PeerId, mark: impl Fn() -> T + Send + Sync) -> Result<T, SendError> {
        self.flush_marked(to, mark).await
    }
}

/// Something to tell of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    /// The peer that it is about.
    pub(crate) peer: Option<PeerId>,
    pub(crate) message: String,
}

/// How far the lines are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Lines that were read and nobody has acknowledged.
    pub(crate) waiting: usize,
    /// Lines that nobody can take.
    pub(crate) refused: usize,
    /// The end of stdin was reached.
    pub(crate) ended: bool,
    /// All lines were read, and whoever got them has acknowledged them.
    pub(crate) delivered: bool,
    /// Stdin can't be read.
    pub(crate) broken: bool,
}
