//! `GET /api/items/events`: the changes of items as they happen, as `text/event-stream` (the W3C's EventSource).

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::{
    Method,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use tokio::time::timeout;
use warp::{Filter, Reply, filters::BoxedFilter, reply::Response};

use crate::{App, error::ApiError, store::events::Subscription};

/// A comment after so much silence keeps proxies from ending the stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn route(app: App) -> BoxedFilter<(Response,)> {
    warp::path!("events")
        .and(warp::method())
        .and(warp::header::optional::<String>("last-event-id"))
        .map(move |method, last: Option<String>| match method {
            Method::GET => events(&app, last.as_deref()),
            _ => ApiError::method_not_allowed("GET").response(),
        })
        .boxed()
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
pub(crate) fn events(app: &App, last_event_id: Option<&str>) -> Response {
    let subscription = app.store.events().subscribe(last_event_id);
    // Who loses the stream comes back after two seconds, even before the first change to what came in between.
    let place = subscription.place().map(|id| format!("id: {id}\n")).unwrap_or_default();
    let opening = Bytes::from(format!("retry: 2000\n{place}: the changes of items\n\n"));
    let changes = stream::unfold(subscription, async |mut subscription: Subscription| {
        let frames = timeout(KEEP_ALIVE, subscription.next()).await;
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
