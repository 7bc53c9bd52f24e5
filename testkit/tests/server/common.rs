//! What several scenarios need: a second program at the server's database, and numbers out of lists.

use std::path::Path;

use anyhow::Context;
use sea_orm::sqlx::{self, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

/// Another program that holds the right to write to a database.
pub(crate) struct Lock(SqliteConnection);

impl Lock {
    /// Takes it.
    pub(crate) async fn on(database: &Path) -> anyhow::Result<Self> {
        let mut connection = open(database).await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.context("can't lock the database")?;
        Ok(Self(connection))
    }

    /// Gives it back.
    pub(crate) async fn release(mut self) -> anyhow::Result<()> {
        sqlx::query("ROLLBACK").execute(&mut self.0).await?;
        Ok(self.0.close().await?)
    }
}

/// What SQLite itself finds wrong with a database: nothing, if it is `ok`.
pub(crate) async fn integrity(database: &Path) -> anyhow::Result<String> {
    let mut connection = open(database).await?;
    let (found,): (String,) = sqlx::query_as("PRAGMA integrity_check").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(found)
}

async fn open(database: &Path) -> anyhow::Result<SqliteConnection> {
    Ok(SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(database)).await?)
}
