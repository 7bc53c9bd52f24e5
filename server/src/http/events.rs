//! `GET /api/items/events`: the changes of items as they happen, as `text/event-stream` (the W3C's EventSource).

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::{
    Method,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue},
};
use tokio::time::timeout;
use warp::{Reply, path, reply::Response};

use super::context::{Context, items_need};
use crate::{
    error::ApiError,
    limits::EVENT_KEEP_ALIVE,
    route::{Request, Route, fixed},
    store::events::Subscription,
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    vec![Route::new("/api/items/events", items_need, fixed(path!("api" / "items" / "events")), context, answer)]
}

async fn answer(app: Arc<Context>, (): (), request: Request) -> Result<Response, ApiError> {
    match request.head.method {
        Method::GET => Ok(events(&app, request.header(LAST_EVENT_ID))),
        _ => Err(ApiError::method_not_allowed("GET")),
    }
}

/// The changes of items as they happen
///
/// Events are `created`, `updated`, `processed` (the item, the last one with its `job`), `deleted` (the id), and `reset`
/// (changes were missed: load anew).
#[utoipa::path(
    get, path = "/api/items/events", tag = "items",
    params(("Last-Event-ID" = Option<String>, Header, description = "Goes on after this event, one of the last 1,000")),
    responses((status = 200, content_type = "text/event-stream", body = String))
)]
pub(crate) fn events(app: &Context, last_event_id: Option<&str>) -> Response {
    let subscription = app.store.events().subscribe(last_event_id);
    // Who loses the stream comes back after two seconds, even before the first change to what came in between.
    let place = subscription.place().map(|id| format!("id: {id}\n")).unwrap_or_default();
    let opening = Bytes::from(format!("retry: 2000\n{place}: the changes of items\n\n"));
    let changes = stream::unfold(subscription, async |mut subscription: Subscription| {
        let frames = timeout(EVENT_KEEP_ALIVE, subscription.next()).await;
        Some((frames.unwrap_or(Bytes::from_static(b":\n\n")), subscription))
    });
    let stop = app.stop.clone();
    let stream = stream::iter([opening])
        .chain(changes)
        .take_until(async move { stop.cancelled().await })
        .map(Ok::<_, Infallible>);
    let mut response = warp::reply::stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx passes each event on at once.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
