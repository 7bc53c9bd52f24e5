//! SQL that sea-orm's builders don't write, and what the database says when it refuses.

use sea_orm::{ConnectionTrait, DbErr, RuntimeErr, Statement, Value, sqlx};

/// SQL as this database takes it, with its values.
pub(super) fn statement<C: ConnectionTrait>(database: &C, sql: impl Into<String>, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(database.get_database_backend(), sql, values)
}

/// The database's own code of an error, as far as it has one.
pub(super) fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Conn(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    Some(cause.as_database_error()?.code()?.into_owned())
}

/// Whether another program has the database, or the right to write it: SQLite's codes 5, and 261 while it recovers.
pub(super) fn is_busy(error: &DbErr) -> bool {
    // Who waits for a connection waits as long as the connection does for the database.
    let is_late =
        matches!(error, DbErr::Conn(RuntimeErr::SqlxError(cause)) if matches!(**cause, sqlx::Error::PoolTimedOut));
    is_late || matches!(code(error).as_deref(), Some("5" | "261"))
}

/// Whether the disk was full: SQLite says so (13), or could not grow its shared memory (4874).
pub(super) fn is_full(error: &DbErr) -> bool {
    matches!(code(error).as_deref(), Some("13" | "4874"))
}
