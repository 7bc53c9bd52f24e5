//! A part of the list of items.

use super::model::Status;

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
