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
    auth::Bearer,
    error::ApiError,
    limits::EVENT_KEEP_ALIVE,
    metrics::Metrics,
    route::{Request, Route, fixed},
    store::events::Subscription,
};

/// A client that follows the changes, and is counted as long as it does.
struct Following(Arc<Metrics>);

impl Following {
    fn of(metrics: &Arc<Metrics>) -> Self {
        metrics.event_streams.inc();
        Self(metrics.clone())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.event_streams.dec();
    }
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    vec![Route::new("/api/items/events", items_need, fixed(path!("api" / "items" / "events")), context, answer)]
}

async fn answer(app: Arc<Context>, (): (), request: Request) -> Result<Response, ApiError> {
    match request.head.method {
        Method::GET => Ok(events(&app, request.header(LAST_EVENT_ID), request.bearer.clone())),
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
pub(crate) fn events(app: &Context, last_event_id: Option<&str>, bearer: Bearer) -> Response {
    let subscription = app.store.events().subscribe(last_event_id);
    // Who loses the stream comes back after two seconds, even before the first change to what came in between.
    let place = subscription.place().map(|id| format!("id: {id}\n")).unwrap_or_default();
    let opening = Bytes::from(format!("retry: 2000\n{place}: the changes of items\n\n"));
    let changes = stream::unfold(subscription, async |mut subscription: Subscription| {
        let frames = timeout(EVENT_KEEP_ALIVE, subscription.next()).await;
        Some((frames.unwrap_or(Bytes::from_static(b":\n\n")), subscription))
    });
    let (stop, auth, following) = (app.stop.clone(), app.auth.clone(), Following::of(&app.metrics));
    // It goes on as long as the token.
    let ended = async move {
        match auth.zip(bearer) {
            Some((auth, caller)) => tokio::select! { () = stop.cancelled() => {}, () = auth.ended(caller) => {} },
            None => stop.cancelled().await,
        }
    };
    let stream = stream::iter([opening]).chain(changes).take_until(ended).map(move |frames| {
        let _ = &following;
        Ok::<_, Infallible>(frames)
    });
    let mut response = warp::reply::stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx passes each event on at once.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
