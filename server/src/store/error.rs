//! Why a request to the store came to nothing.

use std::sync::Arc;

use sea_orm::DbErr;

use super::model::JobState;

/// Why a request to the store came to nothing. Nothing has changed then.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// No item of that id.
    #[error("there is no item {0}")]
    NotFound(i64),
    /// No job of that id.
    #[error("there is no job {0}")]
    NoJob(i64),
    /// The job has not failed.
    #[error("job {id} is {}: only one that has failed can be tried again", state.name())]
    NotFailed { id: i64, state: JobState },
    /// The item has changed since the version that the request names.
    #[error("item {id} is at version {version} now")]
    Changed { id: i64, version: i64 },
    /// The idempotency key was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The database can't take it now.
    #[error("the database can't take this now")]
    Unavailable(#[source] Arc<DbErr>),
    /// There is no room for it on the disk of the database.
    #[error("the disk of the database is full: until there is room again, items can be read, searched and deleted")]
    Full,
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}
