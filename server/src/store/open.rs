//! Opening the database: made if it is not there, brought to the newest schema, and set so that a commit is on disk.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, anyhow, bail, ensure};
use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, EntityTrait, FromQueryResult,
    QuerySelect,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous},
};
use tracing::warn;

use super::{
    batch_read,
    entity::item,
    events::Events,
    handle::Store,
    location::Location,
    migration,
    model::Status,
    schema,
    shared::{Shared, State, Trouble},
    space::{RESERVE, Space},
    sql::{is_full, statement},
    writer::{self, Databases, Writer},
};
use crate::{limits::DATABASE_WAIT, metrics::Commits};

/// Connections for reading: point reads gain nothing from more.
const READERS: u32 = 2;

impl Store {
    /// Opens the database at a `sqlite:` URL and starts its writer, which counts its transactions in `commits`.
    ///
    /// # Errors
    /// When it can't be opened, is not grtc's, can't be written, or can't be made to sync each commit. Then nothing was
    /// made or changed.
    pub(crate) async fn open(url: &str, commits: Commits) -> anyhow::Result<(Self, Writer)> {
        let location = Location::parse(url)?;
        location.check()?;
        let space = match &location {
            Location::Memory => None,
            Location::File { path, .. } => {
                if path.exists() {
                    schema::look_at(path).await?;
                }
                Some(Arc::new(Space::beside(path)))
            }
        };
        let (database, reader) = connections(url, space.as_deref()).await?;
        schema::check(&database).await?;
        if space.is_some() {
            check(&database).await?;
        }
        migration::bring_up_to_date(&database).await?;
        let mut state = state(&database).await.context("its items can't be counted")?;
        match database.execute_unprepared("UPDATE search_state SET rev = rev").await {
            Ok(_) => {}
            Err(error) if is_full(&error) => state.trouble = Some(Trouble::DiskFull),
            Err(error) => bail!("it can't be written: {error}"),
        }
        let shared = Arc::new(Shared::new(Events::new()?, state));
        let databases = Databases { writer: database, reader: reader.clone(), space: space.clone() };
        let (writer, task) = writer::start(databases, shared.clone(), commits);
        let batch_read = batch_read::start(reader.clone());
        Ok((Self { reader, batch_read, writer, shared, space }, task))
    }
}

/// The connection that writes and those that read: one and the same in memory, which is a connection's own, and on a
/// disk that has no room for the shared memory that several of them need.
async fn connections(url: &str, space: Option<&Space>) -> anyhow::Result<(DatabaseConnection, DatabaseConnection)> {
    let failed = match (open(url, space.is_some()).await, space) {
        (Ok(connections), _) => return Ok(connections),
        (Err(error), Some(space)) if space.free() < RESERVE => {
            space.give_up();
            if let Ok(connections) = open(url, true).await {
                return Ok(connections);
            }
            error
        }
        (Err(error), _) => bail!("it can't be opened: {error}"),
    };
    warn!(error = %failed, "the disk of the database is full: until the next start, reads wait for writes");
    let alone = connect(url, 1, Access::WriteAlone).await.map_err(|error| anyhow!("it can't be opened: {error}"))?;
    Ok((alone.clone(), alone))
}

async fn open(url: &str, shared: bool) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    let writer = connect(url, 1, Access::Write).await?;
    let reader = if shared { connect(url, READERS, Access::Read).await? } else { writer.clone() };
    // A database is not looked at before the first statement.
    reader.query_one_raw(statement(&reader, "SELECT count(*) FROM sqlite_master", vec![])).await?;
    Ok((writer, reader))
}

/// What a connection is for.
#[derive(Clone, Copy)]
pub(super) enum Access {
    Read,
    Write,
    /// Keeps to itself what connections else share by a file beside the database.
    WriteAlone,
}

pub(super) async fn connect(url: &str, connections: u32, access: Access) -> Result<DatabaseConnection, DbErr> {
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
            match access {
                Access::Read => sqlite.pragma("query_only", "1"),
                Access::Write => sqlite,
                Access::WriteAlone => sqlite.locking_mode(SqliteLockingMode::Exclusive),
            }
        });
    Database::connect(options).await
}

/// Reads back what makes an acknowledged write durable.
pub(super) async fn check(database: &DatabaseConnection) -> anyhow::Result<()> {
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
    Ok(State { counts, rev, indexed, trouble: None, matches: HashMap::new() })
}
