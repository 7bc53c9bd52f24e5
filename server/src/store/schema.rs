//! Whether a database is grtc's and of a version that this one knows. Only asked, before anything is made in it.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, SqlxSqliteConnector,
    sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use sea_orm_migration::MigratorTrait;

use super::{migration::Migrator, sql::statement};

/// Looks at the file alone: no lock, no file beside it, nothing of a log that a crash left.
///
/// # Errors
/// When the database is not one that this version can use.
pub(super) async fn look_at(path: &Path) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    let database = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.context("it can't be opened")?);
    let result = check(&database).await;
    database.close().await.context("it can't be closed")?;
    // Half of what a crash left is in its log: SQLite puts it together when it opens both.
    result.or_else(|error| if error.is::<DbErr>() { Ok(()) } else { Err(error) })
}

/// # Errors
/// When the database is not one that this version can use.
pub(super) async fn check(database: &DatabaseConnection) -> anyhow::Result<()> {
    let known = known();
    match steps(database).await?.iter().find(|step| !known.contains(step)) {
        Some(step) => bail!(
            "it was brought up to date by a newer grtc-server, which this one can't follow ({step}): start that version, \
             or put back the copy from before"
        ),
        None => Ok(()),
    }
}

/// The steps by which this database's schema was made, also those that this version does not know; none of an empty one.
///
/// # Errors
/// When it can't be read, or is another program's.
pub(super) async fn steps(database: &DatabaseConnection) -> anyhow::Result<Vec<String>> {
    let tables = names(database, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").await;
    let mut tables = tables.context("it can't be read")?;
    let has_steps = tables.iter().any(|table| table == "seaql_migrations");
    tables.retain(|table| table != "seaql_migrations" && !table.starts_with("sqlite_"));
    let sql = "SELECT version FROM seaql_migrations ORDER BY version";
    let steps = match has_steps {
        true => names(database, sql).await.context("its version can't be read")?,
        false => Vec::new(),
    };
    if steps.is_empty() {
        ensure!(
            tables.is_empty(),
            "it is another program's database, with the tables {}: name another file",
            tables.join(", ")
        );
    } else if !steps.contains(&known()[0]) {
        bail!("it is another program's database (its schema is at {}): name another file", steps.join(", "));
    }
    Ok(steps)
}

/// The steps that this version knows, from the first to the newest.
pub(super) fn known() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

async fn names(database: &DatabaseConnection, sql: &str) -> Result<Vec<String>, DbErr> {
    let rows = database.query_all_raw(statement(database, sql, vec![])).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
