//! The store as the rest of the server holds it.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use tokio::sync::watch;

use super::{batch_read, events::Events, shared::Shared, sql::statement, writer};

/// The item store: cheap to clone. Handles that are still held when the writer is told to finish get
/// [`StoreError::Stopping`](super::StoreError) or, for reads, an unavailable database.
#[derive(Clone)]
pub(crate) struct Store {
    pub(super) reader: DatabaseConnection,
    pub(super) batch_read: batch_read::Handle,
    pub(super) writer: writer::Handle,
    pub(super) shared: Arc<Shared>,
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

    /// Waits for the end of a task that the store can't be without; which one it was.
    pub(crate) async fn ended(&self) -> &'static str {
        tokio::select! {
            () = self.writer.ended() => "the database's writer",
            () = self.batch_read.ended() => "the reader of single items",
        }
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        let sql = "SELECT rev FROM search_state";
        self.reader.query_one_raw(statement(&self.reader, sql, vec![])).await.map(drop)
    }
}
