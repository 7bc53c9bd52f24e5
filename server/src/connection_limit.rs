//! The cap on open connections.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Held;

/// As many slots as there may be connections.
pub(crate) struct ConnectionLimit {
    most: usize,
    free: Arc<Semaphore>,
}

/// The slot that a connection takes, HTTP or WebSocket; given back when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Slot {
    _permit: Arc<OwnedSemaphorePermit>,
    /// What is held of its address's own.
    _held: Option<Arc<Held>>,
}

impl Slot {
    /// What is held of the address's own, with another place instead of this one.
    pub(crate) fn at(self, place: Self) -> Self {
        Self { _permit: place._permit, ..self }
    }

    /// The same slot, which counts for an address as well.
    pub(crate) fn and(self, held: Option<Held>) -> Self {
        Self { _held: held.map(Arc::new).or(self._held), ..self }
    }
}

impl ConnectionLimit {
    pub(crate) fn new(connections: usize) -> Self {
        let most = connections.min(Semaphore::MAX_PERMITS);
        Self { most, free: Arc::new(Semaphore::new(most)) }
    }

    /// A slot, if one is left.
    pub(crate) fn take(&self) -> Option<Slot> {
        let permit = self.free.clone().try_acquire_owned().ok()?;
        Some(Slot { _permit: Arc::new(permit), _held: None })
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.most - self.free.available_permits()
    }
}
