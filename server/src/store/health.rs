//! Whether the store can do its work.

use sea_orm::ConnectionTrait;

use super::{handle::Store, shared::Trouble, space::RESERVE, sql::statement};

impl Store {
    /// What keeps the store from reading or writing, if anything does. Whether it can write is known from the last
    /// write; only on a disk that is nearly full is a write tried for it.
    pub(crate) async fn trouble(&self) -> Option<Trouble> {
        let sql = "SELECT rev FROM search_state";
        if self.reader.query_one_raw(statement(&self.reader, sql, vec![])).await.is_err() {
            return Some(Trouble::NoDatabase);
        }
        let known = self.shared.state().trouble;
        if known.is_none() && self.space.as_ref().is_some_and(|space| space.free() < RESERVE) {
            // The writer notes what comes of it.
            let _ = self.probe().await;
            return self.shared.state().trouble;
        }
        known
    }
}
