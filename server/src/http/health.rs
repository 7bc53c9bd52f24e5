//! `GET /health`, `/health/live` and `/health/ready`: is it there, does it live, can it serve.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use hyper::{
    StatusCode,
    header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER},
};
use serde::Serialize;
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{answer::to_json, context::Context};
use crate::{
    error::ApiError,
    gate::Needs,
    route::{Request, Route, fixed},
    store::Trouble,
};

/// How the server is.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `healthy`, or what is wrong: `draining`, `disk_full`, `no_writes`, `no_database`.
    status: &'static str,
    /// Always `grtc`.
    service: &'static str,
    version: &'static str,
    uptime_s: u64,
}

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    let route = |name, path: BoxedFilter<((),)>, answer: fn(Arc<Context>) -> BoxFuture<'static, Response>| {
        Route::new(
            name,
            |_, _| Needs::Nothing,
            path,
            context,
            move |context, (), request: Request| async move {
                ApiError::only_reads(&request.head.method)?;
                let mut response = answer(context).await;
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                Ok(response)
            },
        )
    };
    vec![
        route("/health", fixed(path!("health")).boxed(), |app| Box::pin(async move { health(&app).await })),
        route("/health/live", fixed(path!("health" / "live")).boxed(), |app| Box::pin(async move { live(&app) })),
        route("/health/ready", fixed(path!("health" / "ready")).boxed(), |app| {
            Box::pin(async move { ready(&app).await })
        }),
    ]
}

/// How the server is: always 200 while it answers
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Health)))]
pub(crate) async fn health(app: &Context) -> Response {
    to_json(&state(app, status(app).await))
}

/// Whether the process lives
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, body = Health)))]
pub(crate) fn live(app: &Context) -> Response {
    to_json(&state(app, "healthy"))
}

/// Whether the server can take requests
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses((status = 200, body = Health), (status = 503, description = "Draining, or its database can't be read or written", body = Health))
)]
pub(crate) async fn ready(app: &Context) -> Response {
    let status = status(app).await;
    let mut response = to_json(&state(app, status));
    if status != "healthy" {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

async fn status(app: &Context) -> &'static str {
    if app.stop.is_cancelled() {
        "draining"
    } else {
        match app.store.trouble().await {
            None => "healthy",
            Some(Trouble::DiskFull) => "disk_full",
            Some(Trouble::NoWrites) => "no_writes",
            Some(Trouble::NoDatabase) => "no_database",
        }
    }
}

fn state(app: &Context, status: &'static str) -> Health {
    Health { status, service: "grtc", version: env!("CARGO_PKG_VERSION"), uptime_s: app.started.elapsed().as_secs() }
}
