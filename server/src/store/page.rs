//! Parts of the lists of items and jobs.

use super::model::{JobState, Status};

/// A part of the list of items.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) skip: u64,
    pub(crate) limit: u64,
    pub(crate) status: Option<Status>,
    /// The newest first.
    pub(crate) descending: bool,
    /// Those that come after the item with this id, in the page's order.
    pub(crate) after: Option<i64>,
    /// Text that the title or the description contains.
    pub(crate) text: Option<String>,
}

/// A part of the list of jobs, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobPage {
    pub(crate) limit: u64,
    /// Those that are older than the job with this id.
    pub(crate) before: Option<i64>,
    /// Those of this item.
    pub(crate) item_id: Option<i64>,
    pub(crate) state: Option<JobState>,
}
