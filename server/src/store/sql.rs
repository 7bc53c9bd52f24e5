//! SQL that sea-orm's builders don't write.

use sea_orm::{ConnectionTrait, Statement, Value};

/// SQL as this database takes it, with its values.
pub(super) fn statement<C: ConnectionTrait>(database: &C, sql: impl Into<String>, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(database.get_database_backend(), sql, values)
}
