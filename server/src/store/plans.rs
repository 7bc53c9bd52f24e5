//! What SQLite makes of queries whose table grows: none of them looks at all of it, or sorts what it has found.

use sea_orm::{ConnectionTrait, EntityTrait, QueryTrait, Select};

use super::{
    JobPage, Store,
    group::jobs::{due, queued},
    model::JobState,
    read,
    sql::statement,
};
use crate::metrics::Commits;

/// The steps of a query.
async fn plan<E: EntityTrait>(store: &Store, query: &Select<E>) -> String {
    let query = query.build(store.reader.get_database_backend());
    let values = query.values.map(|values| values.0).unwrap_or_default();
    let explain = statement(&store.reader, format!("EXPLAIN QUERY PLAN {}", query.sql), values);
    let rows = store.reader.query_all_raw(explain).await.unwrap();
    rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn jobs_are_found_by_an_index() {
    let (store, _writer) = Store::open("sqlite::memory:", Commits::default()).await.unwrap();
    assert_eq!(plan(&store, &queued()).await, "SEARCH jobs USING INDEX jobs_due (state=?)");
    assert_eq!(plan(&store, &due(1, 1)).await, "SEARCH jobs USING INDEX jobs_due (state=? AND run_at<?)");
    for (item_id, state, before, expected) in [
        (None, None, None, "SCAN jobs"),
        (None, None, Some(7), "SEARCH jobs USING INTEGER PRIMARY KEY (rowid<?)"),
        (Some(1), None, Some(7), "SEARCH jobs USING INDEX jobs_item (item_id=? AND id<?)"),
        (None, Some(JobState::Failed), None, "SEARCH jobs USING INDEX jobs_state (state=?)"),
        (None, Some(JobState::Queued), Some(7), "SEARCH jobs USING INDEX jobs_state (state=? AND id<?)"),
        (Some(1), Some(JobState::Done), Some(7), "SEARCH jobs USING INDEX jobs_item (item_id=? AND id<?)"),
    ] {
        let page = JobPage { limit: 100, before, item_id, state };
        assert_eq!(plan(&store, &read::jobs(&page)).await, expected, "{page:?}");
    }
}
