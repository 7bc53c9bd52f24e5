//! The search index's write side: it follows the items by their change numbers, in steps.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use crate::store::sql::statement;

/// Takes up to `rows` changes with numbers above `from` and up to `last` into the index; the number up to which it has
/// them all then. Numbers whose item has changed again or is gone have no row.
pub(super) async fn index(transaction: &DatabaseTransaction, from: i64, last: i64, rows: usize) -> Result<i64, DbErr> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let sql = "SELECT count(*), max(rev) FROM (SELECT rev FROM items WHERE rev > ? AND rev <= ? ORDER BY rev LIMIT ?)";
    let values = vec![from.into(), last.into(), rows.into()];
    let to = match transaction.query_one_raw(statement(transaction, sql, values)).await? {
        Some(row) if row.try_get_by_index::<i64>(0)? == rows => row.try_get_by_index(1)?,
        _ => last,
    };
    let sql = "INSERT OR REPLACE INTO items_search (rowid, title, description)
               SELECT id, title, coalesce(description, '') FROM items WHERE rev > ? AND rev <= ?";
    transaction.execute_raw(statement(transaction, sql, vec![from.into(), to.into()])).await?;
    transaction.execute_raw(statement(transaction, "UPDATE search_state SET rev = ?", vec![to.into()])).await?;
    Ok(to)
}

/// Takes items out of the index.
pub(super) async fn forget(transaction: &DatabaseTransaction, ids: &[i64]) -> Result<(), DbErr> {
    let marks = vec!["?"; ids.len()].join(", ");
    let sql = format!("DELETE FROM items_search WHERE rowid IN ({marks})");
    transaction.execute_raw(statement(transaction, sql, ids.iter().map(|id| (*id).into()).collect())).await?;
    Ok(())
}
