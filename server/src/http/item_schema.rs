//! The bodies that `item_body` reads, as the OpenAPI describes them.

#![allow(dead_code, reason = "descriptions: the reader gathers all faults at once, which no derived reader does")]

use crate::store::model::Status;

/// A new item.
#[derive(utoipa::ToSchema)]
pub(crate) struct NewItem {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// Up to 10,000 characters.
    #[schema(max_length = 10_000)]
    description: Option<String>,
    #[schema(value_type = Status, required = false, default = "active")]
    status: Option<Status>,
}

/// A change: what is not there stays as it is.
#[derive(utoipa::ToSchema)]
pub(crate) struct ItemChange {
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200)]
    title: Option<String>,
    /// `null` clears it.
    #[schema(max_length = 10_000)]
    description: Option<String>,
    #[schema(value_type = Status, required = false)]
    status: Option<Status>,
}

/// The items of a bulk.
#[derive(utoipa::ToSchema)]
#[schema(min_items = 1, max_items = 1000)]
pub(crate) struct NewItems(Vec<NewItem>);

/// The ids of a bulk: what is too large for an id is of no item.
#[derive(utoipa::ToSchema)]
#[schema(min_items = 1, max_items = 1000)]
pub(crate) struct ItemIds(Vec<isize>);

/// The order of a list.
#[derive(utoipa::ToSchema)]
pub(crate) enum Sort {
    /// The oldest first.
    #[schema(rename = "id")]
    Id,
    /// The newest first.
    #[schema(rename = "-id")]
    Descending,
}
