//! The tables as sea-orm sees them.

#![allow(unreachable_pub, reason = "the derive makes public what it derives")]

use serde_json::value::RawValue;

use super::model::{Answer, Item, Job};

pub(crate) mod item {
    use sea_orm::entity::prelude::*;

    use crate::store::model::Status;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "items")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub title: String,
        pub description: Option<String>,
        pub status: Status,
        /// Microseconds since 1970, as all times in the database.
        pub created_at: i64,
        pub updated_at: i64,
        /// Grows by one at every change of this item.
        pub version: i64,
        /// The number of the last change of this item among all changes.
        pub rev: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod job {
    use sea_orm::entity::prelude::*;

    use crate::store::model::JobState;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "jobs")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub item_id: i64,
        pub state: JobState,
        pub attempts: i64,
        /// Not before this time.
        pub run_at: i64,
        /// JSON.
        pub result: Option<String>,
        pub error: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The answers to requests that carried an `Idempotency-Key`.
pub(crate) mod answer {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "answers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        /// SHA-256 of the method, the path and the body, in hex.
        pub fingerprint: String,
        pub status: i32,
        pub location: Option<String>,
        pub etag: Option<String>,
        pub body: String,
        pub created_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<item::Model> for Item {
    fn from(row: item::Model) -> Self {
        let item::Model { id, title, description, status, created_at, updated_at, version, rev: _ } = row;
        Self { id, title, description, status, created_at, updated_at, version }
    }
}

impl From<job::Model> for Job {
    fn from(row: job::Model) -> Self {
        let job::Model { id, item_id, state, attempts, run_at: _, result, error, created_at, updated_at } = row;
        let result = result.and_then(|json| RawValue::from_string(json).ok());
        Self { id, item_id, state, attempts, result, error, created_at, updated_at }
    }
}

impl From<answer::Model> for Answer {
    fn from(row: answer::Model) -> Self {
        let status = u16::try_from(row.status).unwrap_or(500);
        Self { status, location: row.location, etag: row.etag, body: row.body }
    }
}
