//! Items and their jobs on disk. The only part of the server that knows SQL.
//!
//! Reads run beside the one writer, which groups waiting writes into one transaction: an answer to a write means that
//! it is on disk, and a hundred writes at once cost a few syncs, not a hundred.
//!
//! ```text
//! handle (Store) ── write (verbs) ──► writer ──► group (one transaction) ──► events, shared
//!              └─── read, search, batch_read                request: what goes from one to the other
//! ```
//!
//! Beside a server's store, each a command of its own: `backup` and `export` read while it runs (`reading`), `migrate` and
//! `import` take the database for themselves (`alone`).

pub(crate) mod administration;
mod alone;
mod audit;
mod backup;
mod batch_read;
mod entity;
mod error;
pub(crate) mod events;
mod export;
mod fold;
mod group;
mod handle;
mod health;
mod import;
mod job_counts;
mod location;
mod migrate;
mod migration;
pub(crate) mod model;
mod open;
mod page;
#[cfg(test)]
mod plans;
mod read;
mod reading;
mod request;
mod schema;
mod search;
mod sequence;
mod shared;
mod space;
mod sql;
mod write;
mod writer;

pub(crate) use backup::Backup;
pub(crate) use error::StoreError;
pub(crate) use export::export;
pub(crate) use handle::Store;
pub(crate) use import::import;
pub(crate) use migrate::migrate;
pub(crate) use page::{JobPage, Page};
pub(crate) use request::Once;
#[cfg(test)]
pub(crate) use request::Written;
pub(crate) use shared::Trouble;
