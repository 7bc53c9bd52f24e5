//! The schema, step by step. A step that stands in a release is never changed: the next one goes on from it.

use sea_orm_migration::prelude::*;

pub(super) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Items)]
    }
}

struct Items;

impl MigrationName for Items {
    fn name(&self) -> &'static str {
        "m0001_items"
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

#[async_trait::async_trait]
impl MigrationTrait for Items {
    /// All or nothing, also when the process is killed in between.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in ITEMS {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
