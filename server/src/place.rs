//! The cap on open connections.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many places as there may be connections.
pub(crate) struct Places(Arc<Semaphore>);

/// The place that a connection takes, HTTP or WebSocket; given back when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Places {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))))
    }

    /// A place, if one is left.
    pub(crate) fn take(&self) -> Option<Place> {
        self.0.clone().try_acquire_owned().ok().map(|permit| Place { _permit: Arc::new(permit) })
    }
}
