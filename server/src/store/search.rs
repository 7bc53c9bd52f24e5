//! The search index: trigrams of the titles and descriptions (SQLite's FTS5), so that a text inside of them is found
//! without a look at every item.
//!
//! It follows the items by their change numbers, in steps: before a search, and when nothing is written. So a write
//! does not pay for it, and a crash loses nothing of it.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, EntityTrait, Value};

use super::{
    entity::item, error::StoreError, handle::Store, model::Status, page::Page, sql::statement, writer::INDEX_ROWS,
};

/// How many searches have their number of matches remembered until the next change.
const REMEMBERED: usize = 64;

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
        if let Some(id) = page.after {
            from.push_str(if page.descending { " AND s.rowid < ?" } else { " AND s.rowid > ?" });
            values.push(id.into());
        }
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
            self.index(INDEX_ROWS).await?;
        }
        Ok(())
    }
}
