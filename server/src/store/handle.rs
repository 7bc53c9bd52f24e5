//! The store as the rest of the server holds it.

use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::sync::watch;

use super::{batch_read, events::Events, shared::Shared, space::Space, writer};

/// The item store: cheap to clone. Handles that are still held when the writer is told to finish get
/// [`StoreError::Stopping`](super::StoreError) or, for reads, an unavailable database.
#[derive(Clone)]
pub(crate) struct Store {
    pub(super) reader: DatabaseConnection,
    pub(super) batch_read: batch_read::Handle,
    pub(super) writer: writer::Handle,
    pub(super) shared: Arc<Shared>,
    /// The disk, unless the database is in memory.
    pub(super) space: Option<Arc<Space>>,
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
}
