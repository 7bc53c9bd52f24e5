//! The highest ids that items and jobs ever had, so that none is used again. SQLite keeps them for tables with
//! `AUTOINCREMENT`.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::sql::statement;

/// Those of the items and of the jobs; 0: there were none.
pub(super) async fn highest(transaction: &DatabaseTransaction) -> Result<(i64, i64), DbErr> {
    let (mut items, mut jobs) = (0, 0);
    let sql = "SELECT name, seq FROM sqlite_sequence WHERE name IN ('items', 'jobs')";
    for row in transaction.query_all_raw(statement(transaction, sql, vec![])).await? {
        match row.try_get_by_index::<String>(0)?.as_str() {
            "items" => items = row.try_get_by_index(1)?,
            _ => jobs = row.try_get_by_index(1)?,
        }
    }
    Ok((items, jobs))
}

/// Goes on from these.
pub(super) async fn go_on(transaction: &DatabaseTransaction, items: i64, jobs: i64) -> Result<(), DbErr> {
    for (name, highest) in [("items", items), ("jobs", jobs)] {
        let sql = "DELETE FROM sqlite_sequence WHERE name = ?";
        transaction.execute_raw(statement(transaction, sql, vec![name.into()])).await?;
        let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)";
        transaction.execute_raw(statement(transaction, sql, vec![name.into(), highest.into()])).await?;
    }
    Ok(())
}
