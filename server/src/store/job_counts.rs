//! How many jobs there are in each state.

use sea_orm::ConnectionTrait;

use super::{error::StoreError, handle::Store, sql::statement};

impl Store {
    /// How many jobs are queued, running, done and failed. It looks at all of them.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(crate) async fn job_counts(&self) -> Result<[usize; 4], StoreError> {
        let of = |state: &str| format!("count(*) FILTER (WHERE state = '{state}')");
        let columns = ["queued", "running", "done", "failed"].map(of).join(", ");
        let sql = format!("SELECT {columns} FROM jobs");
        let Some(row) = self.reader.query_one_raw(statement(&self.reader, sql, vec![])).await? else {
            return Ok([0; 4]);
        };
        let mut counts = [0; 4];
        for (index, count) in counts.iter_mut().enumerate() {
            *count = usize::try_from(row.try_get_by_index::<i64>(index)?).unwrap_or_default();
        }
        Ok(counts)
    }
}
