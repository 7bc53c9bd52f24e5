//! Opening the database: made if it is not there, brought to the newest schema, and set so that a commit is on disk.

use std::{collections::HashMap, path::Path, sync::Arc};

use anyhow::{Context, anyhow, ensure};
use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, EntityTrait, FromQueryResult,
    QuerySelect,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::MigratorTrait;

use super::{
    batch_read,
    entity::item,
    events::Events,
    handle::Store,
    migration::Migrator,
    model::Status,
    shared::{Shared, State},
    sql::statement,
    writer::{self, Databases, Writer},
};
use crate::limits::DATABASE_WAIT;

/// Connections for reading: point reads gain nothing from more.
const READERS: u32 = 2;

impl Store {
    /// Opens the database at a `sqlite:` URL and starts its writer.
    ///
    /// # Errors
    /// When it can't be opened, is no database, can't be written, or can't be made to sync each commit.
    pub(crate) async fn open(url: &str) -> anyhow::Result<(Self, Writer)> {
        let memory = url.contains(":memory:") || url.contains("mode=memory");
        let database = connect(url, 1, false).await.map_err(|error| unusable(url, &error))?;
        if !memory {
            check(&database).await?;
        }
        Migrator::up(&database, None).await.context("its schema can't be made or brought up to date")?;
        let written = database.execute_unprepared("UPDATE search_state SET rev = rev").await;
        written.map_err(|error| anyhow!("it can't be written: {error}"))?;
        // A database in memory is one connection's own.
        let reader = if memory { database.clone() } else { connect(url, READERS, true).await? };
        let state = state(&database).await.context("its items can't be counted")?;
        let shared = Arc::new(Shared::new(Events::new()?, state));
        let databases = Databases { writer: database, reader: reader.clone(), memory };
        let (handle, writer) = writer::start(databases, shared.clone());
        let batch_read = batch_read::start(reader.clone());
        Ok((Self { reader, batch_read, writer: handle, shared }, writer))
    }
}

/// Why the database can't be opened, once and for people: a database error's sources say the same again.
fn unusable(url: &str, error: &DbErr) -> anyhow::Error {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//").split('?').next().unwrap_or_default();
    match Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => anyhow!("there is no folder {}: make it, or name another file", folder.display()),
        None => anyhow!("it can't be opened: {error}"),
    }
}

async fn connect(url: &str, connections: u32, read_only: bool) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(connections)
        // A connection to a file does not go stale; a test before each use would double what a read costs.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(DATABASE_WAIT)
        .record_stmt_in_spans(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite: SqliteConnectOptions| {
            let sqlite = sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(DATABASE_WAIT)
                .statement_cache_capacity(200)
                .pragma("cache_size", "-16000")
                .pragma("temp_store", "memory");
            if read_only { sqlite.pragma("query_only", "1") } else { sqlite }
        });
    Database::connect(options).await
}

/// Reads back what makes an acknowledged write durable.
async fn check(database: &DatabaseConnection) -> anyhow::Result<()> {
    let journal: String = pragma(database, "journal_mode").await?;
    ensure!(journal == "wal", "it can't be switched to write-ahead logging (its journal mode stays {journal:?})");
    let synchronous: i64 = pragma(database, "synchronous").await?;
    ensure!(synchronous == 2, "it can't be made to sync each commit (synchronous stays {synchronous})");
    Ok(())
}

async fn pragma<T: sea_orm::TryGetable>(database: &DatabaseConnection, name: &str) -> anyhow::Result<T> {
    let row = database
        .query_one_raw(statement(database, format!("PRAGMA {name}"), vec![]))
        .await
        .with_context(|| format!("PRAGMA {name}"))?;
    Ok(row.with_context(|| format!("PRAGMA {name} says nothing"))?.try_get_by_index(0)?)
}

#[derive(FromQueryResult)]
struct Count {
    status: Status,
    count: i64,
}

/// What the writer goes on from.
async fn state(database: &DatabaseConnection) -> Result<State, DbErr> {
    let counts: Vec<Count> = item::Entity::find()
        .select_only()
        .column(item::Column::Status)
        .column_as(item::Column::Id.count(), "count")
        .group_by(item::Column::Status)
        .into_model()
        .all(database)
        .await?;
    let counts = counts.into_iter().map(|row| (row.status, row.count)).collect::<HashMap<_, _>>();
    let number = async |sql: &str| {
        let row = database.query_one_raw(statement(database, sql, vec![])).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0))
    };
    let indexed = number("SELECT rev FROM search_state").await?;
    let rev = number("SELECT coalesce(max(rev), 0) FROM items").await?.max(indexed);
    Ok(State { counts, rev, indexed, matches: HashMap::new() })
}
