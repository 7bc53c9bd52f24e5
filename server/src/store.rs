//! Items and their jobs on disk. The only part of the server that knows SQL.
//!
//! Reads run beside the one writer, which groups waiting writes into one transaction: an answer to a write means that
//! it is on disk, and a hundred writes at once cost a few syncs, not a hundred.
//!
//! ```text
//! handle (Store) ── write (verbs) ──► writer ──► group (one transaction) ──► events, shared
//!              └─── read, search, batch_read                request: what goes from one to the other
//! ```

mod batch_read;
mod entity;
mod error;
pub(crate) mod events;
mod fold;
mod group;
mod handle;
mod health;
mod location;
mod migration;
pub(crate) mod model;
mod open;
mod page;
mod read;
mod request;
mod schema;
mod search;
mod shared;
mod space;
mod sql;
mod write;
mod writer;

pub(crate) use error::StoreError;
pub(crate) use handle::Store;
pub(crate) use page::Page;
pub(crate) use request::Once;
#[cfg(test)]
pub(crate) use request::Written;
pub(crate) use shared::Trouble;
