//! Searching: trigrams of the folded titles and descriptions (SQLite's FTS5), so that a text inside of them is found
//! without a look at every item.
//!
//! The index follows the items by their change numbers, in steps, when nothing is written: a write does not pay for it,
//! and a crash loses nothing of it. What it does not have yet is looked at by the search itself, so that a search needs
//! no write; only if that is much does the index come first, where it can.

use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, TransactionTrait, Value};

use super::{
    entity::item, error::StoreError, fold::fold, handle::Store, model::Status, page::Page, sql::statement,
    writer::INDEX_ROWS,
};

/// How many searches have their number of matches remembered until the next change.
const REMEMBERED: usize = 64;
/// Changes that a search looks at one by one: quicker than waiting for the index to have them.
const UNINDEXED: i64 = 1_000;

impl Store {
    /// The items with `text` in their title or description, and how many there are.
    pub(super) async fn search(&self, text: &str, page: &Page) -> Result<(Vec<item::Model>, u64), StoreError> {
        self.catch_up().await;
        let rev = self.shared.state().rev;
        // One snapshot, so that an item that changes meanwhile is in the index's part or in the other one.
        let snapshot = self.reader.begin().await?;
        let found = Found::of(&snapshot, &fold(text), page.status).await?;
        let key = (text.to_owned(), page.status);
        let remembered = self.shared.state().matches.get(&key).copied();
        let total = match remembered {
            Some(total) => total,
            None => found.count(&snapshot).await?,
        };
        let rows = found.page(&snapshot, page).await?;
        snapshot.commit().await?;
        let mut state = self.shared.state();
        if state.rev == rev {
            if state.matches.len() >= REMEMBERED {
                state.matches.clear();
            }
            state.matches.insert(key, total);
        }
        Ok((rows, total))
    }

    /// Brings the index close to what is committed now. Where the database can't take it the search takes longer.
    async fn catch_up(&self) {
        let target = self.shared.state().rev - UNINDEXED;
        loop {
            let behind = self.shared.state().indexed < target;
            if !behind || self.index(INDEX_ROWS).await.is_err() {
                return;
            }
        }
    }
}

/// The ids of the items that match, as SQL.
struct Found {
    sql: String,
    values: Vec<Value>,
}

impl Found {
    async fn of(snapshot: &DatabaseTransaction, folded: &str, status: Option<Status>) -> Result<Self, StoreError> {
        let row = snapshot.query_one_raw(statement(snapshot, "SELECT rev FROM search_state", vec![])).await?;
        let indexed: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        let (condition, mut values) = matching(folded);
        values.push(indexed.into());
        let mut sql = format!(
            "SELECT s.rowid AS id FROM items_search AS s CROSS JOIN items AS i ON i.id = s.rowid
             WHERE {condition} AND i.rev <= ?"
        );
        if let Some(status) = status {
            sql.push_str(" AND i.status = ?");
            values.push(status.into());
        }
        let others = unindexed(snapshot, indexed, folded, status).await?;
        if !others.is_empty() {
            sql.push_str(" UNION ALL SELECT value AS id FROM json_each(?)");
            values.push(serde_json::json!(others).to_string().into());
        }
        Ok(Self { sql, values })
    }

    async fn count(&self, snapshot: &DatabaseTransaction) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM ({})", self.sql);
        let row = snapshot.query_one_raw(statement(snapshot, sql, self.values.clone())).await?;
        Ok(u64::try_from(row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0))?).unwrap_or_default())
    }

    async fn page(mut self, snapshot: &DatabaseTransaction, page: &Page) -> Result<Vec<item::Model>, StoreError> {
        let order = if page.descending { "DESC" } else { "ASC" };
        let mut after = "";
        if let Some(id) = page.after {
            after = if page.descending { "WHERE id < ?" } else { "WHERE id > ?" };
            self.values.push(id.into());
        }
        let sql = format!(
            "SELECT i.* FROM (SELECT id FROM ({}) {after} ORDER BY id {order} LIMIT ? OFFSET ?) AS f
             CROSS JOIN items AS i ON i.id = f.id ORDER BY f.id {order}",
            self.sql
        );
        self.values.extend([page.limit.into(), page.skip.into()]);
        Ok(item::Entity::find().from_raw_sql(statement(snapshot, sql, self.values)).all(snapshot).await?)
    }
}

/// What a row of the index has to meet to match: as a phrase of trigrams or, where the text is shorter than one, by a
/// look at each.
fn matching(folded: &str) -> (String, Vec<Value>) {
    if folded.chars().count() >= 3 {
        let phrase = format!("\"{}\"", folded.replace('"', "\"\""));
        ("items_search MATCH ?".to_owned(), vec![phrase.into()])
    } else {
        ("(instr(s.title, ?) OR instr(s.description, ?))".to_owned(), vec![folded.into(), folded.into()])
    }
}

/// The items that match and that the index has not, or not as they are now.
async fn unindexed(
    snapshot: &DatabaseTransaction,
    indexed: i64,
    folded: &str,
    status: Option<Status>,
) -> Result<Vec<i64>, StoreError> {
    let rows = item::Entity::find().filter(item::Column::Rev.gt(indexed)).all(snapshot).await?;
    let matches = |row: &item::Model| {
        let has = |text: &str| fold(text).contains(folded);
        status.is_none_or(|status| row.status == status)
            && (has(&row.title) || row.description.as_deref().is_some_and(has))
    };
    Ok(rows.into_iter().filter(matches).map(|row| row.id).collect())
}
