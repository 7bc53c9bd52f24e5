//! The schema, step by step. A step that stands in a release is never changed: the next one goes on from it.

use anyhow::Context as _;
use sea_orm::DatabaseConnection;
use sea_orm_migration::prelude::*;

pub(super) struct Migrator;

/// Does the steps that a database has not had yet: at each start of the server, and for `migrate` and `import`.
///
/// # Errors
/// When one of them can't be done: then nothing of that one was.
pub(super) async fn bring_up_to_date(database: &DatabaseConnection) -> anyhow::Result<()> {
    Migrator::up(database, None).await.context("its schema can't be made or brought up to date")
}

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Step { name: "m0001_items", statements: ITEMS }),
            Box::new(Step { name: "m0002_folded_search", statements: FOLDED_SEARCH }),
            Box::new(Step { name: "m0003_administration", statements: ADMINISTRATION }),
            Box::new(Step { name: "m0004_jobs_by_state", statements: JOBS_BY_STATE }),
        ]
    }
}

/// A step: all of its statements or, also when the process is killed in between, none.
struct Step {
    name: &'static str,
    statements: &'static [&'static str],
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

/// Plain SQL, since the search index is SQLite's own. `AUTOINCREMENT`: an id is never used again. The trigram index
/// keeps a copy of the texts, so that a row can be replaced in it without knowing what it was.
const ITEMS: &[&str] = &[
    "CREATE TABLE items (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        description TEXT,
        status TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        version INTEGER NOT NULL,
        rev INTEGER NOT NULL
    ) STRICT",
    "CREATE INDEX items_status ON items (status, id)",
    "CREATE INDEX items_rev ON items (rev)",
    "CREATE VIRTUAL TABLE items_search USING fts5 (title, description, tokenize = 'trigram')",
    "CREATE TABLE search_state (id INTEGER PRIMARY KEY CHECK (id = 1), rev INTEGER NOT NULL) STRICT",
    "INSERT INTO search_state (id, rev) VALUES (1, 0)",
    "CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        item_id INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        run_at INTEGER NOT NULL,
        result TEXT,
        error TEXT,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT",
    "CREATE INDEX jobs_item ON jobs (item_id, id)",
    "CREATE INDEX jobs_open ON jobs (state, run_at) WHERE state IN ('queued', 'running')",
    "CREATE TABLE answers (
        key TEXT PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        status INTEGER NOT NULL,
        location TEXT,
        etag TEXT,
        body TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX answers_created ON answers (created_at)",
];

/// The index has the texts as they are compared, which the tokenizer must leave alone. It is filled from the items
/// anew, a step at a time, by what keeps it up to date. And the file says whose it is: "grtc".
const FOLDED_SEARCH: &[&str] = &[
    "DROP TABLE items_search",
    "CREATE VIRTUAL TABLE items_search USING fts5 (title, description, tokenize = 'trigram case_sensitive 1')",
    "UPDATE search_state SET rev = 0",
    "PRAGMA application_id = 0x67727463",
];

/// What administrators have done, which tokens are dead before their time, and who may not come back for a while.
const ADMINISTRATION: &[&str] = &[
    "CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        who TEXT,
        what TEXT NOT NULL,
        whom TEXT NOT NULL
    ) STRICT",
    "CREATE TABLE revocations (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE bans (
        id INTEGER PRIMARY KEY,
        room TEXT NOT NULL,
        peer TEXT NOT NULL,
        sub TEXT,
        until INTEGER NOT NULL
    ) STRICT",
];

/// The jobs that are due, and the newest of a state, without a look at the others. `jobs_open` was of no use: SQLite takes an
/// index of a part of the rows only where the statement itself says which part that is, and not in a parameter.
const JOBS_BY_STATE: &[&str] = &[
    "DROP INDEX jobs_open",
    "CREATE INDEX jobs_due ON jobs (state, run_at)",
    "CREATE INDEX jobs_state ON jobs (state, id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in self.statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Database};

    use super::ITEMS;
    use crate::{
        metrics::Commits,
        store::{JobPage, Page, Store, model::JobState},
    };

    /// As the first version made and left it: the texts in the index as they were sent.
    async fn first_version(url: &str) {
        let database = Database::connect(url).await.unwrap();
        for sql in ITEMS.iter().chain(&[
            "CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)",
            "INSERT INTO seaql_migrations VALUES ('m0001_items', 1)",
            "INSERT INTO items WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
             SELECT n, 'Straße ' || n, NULL, 'active', 1, 1, 1, n FROM n",
            "INSERT INTO items_search (rowid, title, description) SELECT id, title, '' FROM items",
            "UPDATE search_state SET rev = 2500",
            "INSERT INTO jobs SELECT id, id, iif(id % 100, 'done', 'failed'), 1, 1, NULL, NULL, 1, 1 FROM items",
        ]) {
            database.execute_unprepared(sql).await.unwrap();
        }
        database.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_database_of_the_first_version_is_indexed_anew() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("grtc.db").display());
        first_version(&url).await;
        for _ in 0..2 {
            let (store, writer) = Store::open(&url, Commits::default()).await.unwrap();
            for text in ["STRASSE", "ß"] {
                let page =
                    Page { skip: 0, limit: 10, after: None, status: None, descending: true, text: Some(text.into()) };
                let (items, total) = store.items(&page).await.unwrap();
                assert_eq!((items.len(), total, items[0].title.as_str()), (10, 2500, "Straße 2500"), "{text}");
            }
            let page = JobPage { limit: 2, before: None, item_id: None, state: Some(JobState::Failed) };
            let ids: Vec<i64> = store.jobs(&page).await.unwrap().iter().map(|job| job.id).collect();
            assert_eq!(ids, [2500, 2400]);
            writer.finish().await;
        }
    }
}
