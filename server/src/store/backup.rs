//! A copy of a database while its server reads and writes.
//!
//! `VACUUM INTO` and not SQLite's backup interface: that one begins again whenever another process has written, so that
//! beside a busy server it may never end. This one reads one snapshot, waits for nobody and holds nobody up, builds one
//! file without a log, and leaves out the room of what was deleted. What it costs: while it runs, the server's log
//! can't be emptied, and grows by what is written meanwhile.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use super::{
    location::Location,
    reading::{self, unreadable},
    schema,
    sql::{is_full, statement},
};

/// A database that is about to be copied, of whatever version.
pub(crate) struct Backup {
    database: DatabaseConnection,
    /// About how large the copy will be.
    pub(crate) bytes: u64,
}

impl Backup {
    /// Opens the database at a `sqlite:` URL.
    ///
    /// # Errors
    /// When there is none, or it is not grtc's.
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        let path = Location::parse(url)?.to_read()?.display().to_string();
        let database = reading::open(url).await?;
        ensure!(!schema::steps(&database).await?.is_empty(), "{path} has nothing in it: no server has used it yet");
        let number = async |sql: &str| {
            let row = database.query_one_raw(statement(&database, sql, vec![])).await.map_err(unreadable)?;
            let number: i64 = row.context("it says nothing of its size")?.try_get_by_index(0)?;
            anyhow::Ok(u64::try_from(number).unwrap_or_default())
        };
        let pages = number("PRAGMA page_count").await?.saturating_sub(number("PRAGMA freelist_count").await?);
        let bytes = pages * number("PRAGMA page_size").await?;
        Ok(Self { database, bytes })
    }

    /// Copies it into an empty file. The copy is on the disk only after a sync of that.
    ///
    /// # Errors
    /// When it can't be read, or the copy not be written.
    pub(crate) async fn copy(self, into: &Path) -> anyhow::Result<()> {
        // A path with a folder in it is no URI to SQLite.
        let path = std::path::absolute(into)?;
        let path = path.to_str().with_context(|| format!("{} is not UTF-8: name another file", path.display()))?;
        let copied = self.database.execute_raw(statement(&self.database, "VACUUM INTO ?", vec![path.into()])).await;
        self.database.close().await?;
        copied.map_err(|error| failed(error, self.bytes)).map(drop)
    }
}

fn failed(error: DbErr, bytes: u64) -> anyhow::Error {
    match is_full(&error) {
        true => anyhow!(
            "there is no room for the copy, which takes about {} MB; nothing was left",
            bytes.div_ceil(1_000_000)
        ),
        false => unreadable(error),
    }
}
