//! The tables as sea-orm sees them.

#![allow(unreachable_pub, reason = "the derive makes public what it derives")]

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
