//! Items and their jobs on disk. The only part of the server that knows SQL.
//!
//! Reads run beside the one writer, which groups waiting writes into one transaction: an answer to a write means that
//! it is on disk, and a hundred writes at once cost a few syncs, not a hundred.

mod entity;
pub(crate) mod events;
mod group;
mod lookup;
mod migration;
pub(crate) mod model;
mod open;
mod read;
mod search;
pub(crate) mod work;
pub(crate) mod writer;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement, Value};
use tokio::sync::watch;

pub(crate) use events::Events;
use model::Status;
pub(crate) use read::Page;
pub(crate) use writer::Writer;

/// The item store: cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    reader: DatabaseConnection,
    lookups: lookup::Handle,
    writer: writer::Handle,
    shared: Arc<Shared>,
}

/// SQL as this database takes it, with its values.
fn statement<C: ConnectionTrait>(database: &C, sql: impl Into<String>, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(database.get_database_backend(), sql, values)
}

/// What the writer knows after each commit and readers look up.
struct Shared {
    events: Events,
    state: Mutex<State>,
    /// Changes when a job was queued.
    queued: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    /// How many items have each status.
    counts: HashMap<Status, i64>,
    /// The number of the last change to an item.
    rev: i64,
    /// The number of the last change that the search index has.
    indexed: i64,
    /// How many items match a search, as of `rev`.
    matches: HashMap<(String, Option<Status>), u64>,
}

/// Why a request to the store came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// No item of that id.
    #[error("there is no item {0}")]
    NotFound(i64),
    /// The item has changed since the version that the request names.
    #[error("item {id} is at version {version} now")]
    Changed { id: i64, version: i64 },
    /// The idempotency key was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The database can't take it now. Nothing has changed.
    #[error("the database can't take this now")]
    Unavailable(#[source] Arc<DbErr>),
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// The changes as they are committed.
    pub(crate) fn events(&self) -> &Events {
        &self.shared.events
    }

    /// Changes whenever a job was queued.
    pub(crate) fn job_signal(&self) -> watch::Receiver<()> {
        self.shared.queued.subscribe()
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        let sql = "SELECT rev FROM search_state";
        self.reader.query_one_raw(statement(&self.reader, sql, vec![])).await.map(drop)
    }
}
