//! What the writer knows after each commit and readers look up.

use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::{events::Events, model::Status};

pub(super) struct Shared {
    pub(super) events: Events,
    state: Mutex<State>,
    /// Changes when a job was queued.
    pub(super) queued: watch::Sender<()>,
}

/// Why nothing can be written, as of the last try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The disk of the database is full.
    DiskFull,
    /// The database refuses: the log says why.
    NoWrites,
    /// The database can't even be read.
    NoDatabase,
}

#[derive(Default)]
pub(super) struct State {
    /// How many items have each status.
    pub(super) counts: HashMap<Status, i64>,
    /// The number of the last change to an item.
    pub(super) rev: i64,
    /// The number of the last change that the search index has.
    pub(super) indexed: i64,
    /// What came of the last try to write.
    pub(super) trouble: Option<Trouble>,
    /// How many items match a search, as of `rev`.
    pub(super) matches: HashMap<(String, Option<Status>), u64>,
}

impl Shared {
    pub(super) fn new(events: Events, state: State) -> Self {
        Self { events, state: Mutex::new(state), queued: watch::Sender::new(()) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}
