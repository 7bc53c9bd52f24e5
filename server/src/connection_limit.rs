//! The cap on open connections.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many slots as there may be connections.
pub(crate) struct ConnectionLimit(Arc<Semaphore>);

/// The slot that a connection takes, HTTP or WebSocket; given back when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Slot {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl ConnectionLimit {
    pub(crate) fn new(connections: usize) -> Self {
        Self(Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))))
    }

    /// A slot, if one is left.
    pub(crate) fn take(&self) -> Option<Slot> {
        self.0.clone().try_acquire_owned().ok().map(|permit| Slot { _permit: Arc::new(permit) })
    }
}
