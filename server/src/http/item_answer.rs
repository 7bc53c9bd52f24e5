//! What came of changes to items, as responses: those that are kept under an idempotency key and those that aren't.

use hyper::{
    StatusCode,
    header::{ETAG, HeaderValue, LOCATION},
};
use serde::Serialize;
use warp::reply::Response;

use super::answer::json;
use crate::store::model::{Answer, Item, Job, Status, etag};

/// How many items have the status now.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct StatusCount {
    pub(super) updated_count: usize,
    pub(super) status: Status,
}

/// A job was queued.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Queued {
    message: String,
    item_id: i64,
    job_id: i64,
}

/// An item as the body.
pub(super) fn item(status: StatusCode, item: &Item) -> Answer {
    Answer { etag: Some(etag(item.version)), ..answer(status, item) }
}

/// The one item that was made.
pub(super) fn created(items: &Vec<Item>) -> Answer {
    match items.as_slice() {
        [one] => Answer { location: Some(format!("/api/items/{}", one.id)), ..item(StatusCode::CREATED, one) },
        many => answer(StatusCode::CREATED, &many),
    }
}

/// The items that were made.
pub(super) fn created_bulk(items: &Vec<Item>) -> Answer {
    answer(StatusCode::CREATED, items)
}

/// The job that was queued.
pub(super) fn queued(job: &Job) -> Answer {
    let message = format!("item {} is being processed in the background", job.item_id);
    let queued = Queued { message, item_id: job.item_id, job_id: job.id };
    Answer { location: Some(format!("/api/jobs/{}", job.id)), ..answer(StatusCode::ACCEPTED, &queued) }
}

/// The job that was queued anew.
pub(super) fn again(job: &Job) -> Answer {
    Answer { location: Some(format!("/api/jobs/{}", job.id)), ..answer(StatusCode::ACCEPTED, job) }
}

fn answer<T: Serialize>(status: StatusCode, body: &T) -> Answer {
    let body = serde_json::to_string(body).unwrap_or_default();
    Answer { status: status.as_u16(), location: None, etag: None, body }
}

pub(super) fn response(answer: Answer) -> Response {
    let mut response = json(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in [(LOCATION, answer.location), (ETAG, answer.etag)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
