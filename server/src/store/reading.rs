//! A database that is read by a command, whether a server has it open or not.

use std::path::Path;

use anyhow::anyhow;
use sea_orm::{
    DatabaseConnection, DbErr, SqlxSqliteConnector,
    sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use super::{location::Location, sql::is_busy};
use crate::limits::DATABASE_WAIT;

/// Opens the file of a `sqlite:` URL by one connection.
///
/// # Errors
/// When it is none, or can't be read.
pub(super) async fn open(url: &str) -> anyhow::Result<DatabaseConnection> {
    connect(Location::parse(url)?.to_read()?).await
}

/// Opens a file that is there. Not as one that may be read only: SQLite would leave its two files beside a database that no
/// server has open, and this way it is the last one that removes them. Nothing is written all the same, but for the log
/// that a crash left, which goes into the database at the end.
///
/// # Errors
/// When it can't be opened.
pub(super) async fn connect(path: &Path) -> anyhow::Result<DatabaseConnection> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(DATABASE_WAIT);
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).connect_with(options);
    let pool = pool.await.map_err(|error| anyhow!("it can't be opened: {error}"))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// What to say when it could not be read.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn unreadable(error: DbErr) -> anyhow::Error {
    match is_busy(&error) {
        true => anyhow!("another program has it to itself: try again when that is done"),
        false => anyhow!("it can't be read: {error}"),
    }
}
