//! The search index's write side: it follows the items by their change numbers, in steps.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::store::{entity::item, fold::fold, sql::statement};

/// Takes up to `rows` changes with numbers above `from` and up to `last` into the index; the number up to which it has
/// them all then. Numbers whose item has changed again or is gone have no row.
pub(in crate::store) async fn index(
    transaction: &DatabaseTransaction,
    from: i64,
    last: i64,
    rows: usize,
) -> Result<i64, DbErr> {
    let changed = item::Entity::find()
        .filter(item::Column::Rev.gt(from))
        .filter(item::Column::Rev.lte(last))
        .order_by_asc(item::Column::Rev)
        .limit(rows as u64)
        .all(transaction)
        .await?;
    let to = match changed.last() {
        Some(row) if changed.len() == rows => row.rev,
        _ => last,
    };
    if !changed.is_empty() {
        let marks = vec!["(?, ?, ?)"; changed.len()].join(", ");
        let sql = format!("INSERT OR REPLACE INTO items_search (rowid, title, description) VALUES {marks}");
        let values = changed.iter().flat_map(|row| {
            let description = row.description.as_deref().unwrap_or_default();
            [row.id.into(), fold(&row.title).into(), fold(description).into()]
        });
        transaction.execute_raw(statement(transaction, sql, values.collect())).await?;
    }
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
