//! The search index: trigrams of the titles and descriptions (SQLite's FTS5), so that a text inside of them is found
//! without a look at every item.
//!
//! It follows the items by their change numbers, in steps: before a search, and when nothing is written. So a write
//! does not pay for it, and a crash loses nothing of it.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, Value};

use super::{Store, StoreError, entity::item, model::Status, read::Page, statement, writer::Op};

/// How many searches have their number of matches remembered until the next change.
const REMEMBERED: usize = 64;

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

/// What a row of the index has to meet to match `text`: as a phrase of trigrams or, where it is shorter than one, by a
/// look at each. Upper and lower case are the same.
fn matching(text: &str) -> (String, Vec<Value>) {
    if text.chars().count() >= 3 {
        let phrase = format!("\"{}\"", text.replace('"', "\"\""));
        ("items_search MATCH ?".to_owned(), vec![phrase.into()])
    } else {
        // SQLite's own lower() knows ASCII alone; two characters have four spellings at most.
        let cases = cases(text);
        let sql = vec!["instr(s.title, ?) OR instr(s.description, ?)"; cases.len()].join(" OR ");
        (format!("({sql})"), cases.iter().flat_map(|case| [case.as_str().into(), case.as_str().into()]).collect())
    }
}

/// The text with each of its characters in upper and lower case.
fn cases(text: &str) -> BTreeSet<String> {
    text.chars().fold(BTreeSet::from([String::new()]), |begun, next| {
        let (lower, upper) = (next.to_lowercase().to_string(), next.to_uppercase().to_string());
        begun.iter().flat_map(|text| [format!("{text}{lower}"), format!("{text}{upper}")]).collect()
    })
}

impl Store {
    /// The items with `text` in their title or description, and how many there are.
    pub(super) async fn search(&self, text: &str, page: &Page) -> Result<(Vec<item::Model>, u64), StoreError> {
        self.catch_up().await?;
        let (condition, mut values) = matching(text);
        let mut from = format!("FROM items_search AS s CROSS JOIN items AS i ON i.id = s.rowid WHERE {condition}");
        if let Some(status) = page.status {
            from.push_str(" AND i.status = ?");
            values.push(status.into());
        }
        let total = self.count_matches(text, page.status, &from, values.clone()).await?;
        let order = if page.descending { "DESC" } else { "ASC" };
        let sql = format!("SELECT i.* {from} ORDER BY s.rowid {order} LIMIT ? OFFSET ?");
        values.extend([page.limit.into(), page.skip.into()]);
        let rows = item::Entity::find().from_raw_sql(statement(&self.reader, sql, values)).all(&self.reader).await?;
        Ok((rows, total))
    }

    async fn count_matches(
        &self,
        text: &str,
        status: Option<Status>,
        from: &str,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let key = (text.to_owned(), status);
        let rev = {
            let state = self.shared.state();
            if let Some(count) = state.matches.get(&key) {
                return Ok(*count);
            }
            state.rev
        };
        let row = self.reader.query_one_raw(statement(&self.reader, format!("SELECT count(*) {from}"), values)).await?;
        let count = row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0))?;
        let count = u64::try_from(count).unwrap_or_default();
        let mut state = self.shared.state();
        if state.rev == rev {
            if state.matches.len() >= REMEMBERED {
                state.matches.clear();
            }
            state.matches.insert(key, count);
        }
        Ok(count)
    }

    /// Waits until the index has every change that is committed now.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let target = self.shared.state().rev;
        while self.shared.state().indexed < target {
            self.write(Op::Index, None).await?;
        }
        Ok(())
    }
}
