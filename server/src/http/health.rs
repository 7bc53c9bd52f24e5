//! `GET /health`, `/health/live` and `/health/ready`: is it there, does it live, can it serve.

use hyper::{
    StatusCode,
    header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER},
};
use serde::Serialize;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::to_json;
use crate::{App, error::ApiError};

/// How the server is.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `healthy`, or what is wrong: `draining`, `no_database`.
    status: &'static str,
    /// Always `grtc`.
    service: &'static str,
    version: &'static str,
    uptime_s: u64,
}

pub(super) fn routes(app: App) -> BoxedFilter<(Response,)> {
    warp::path("health")
        .and(warp::path::tail())
        .and(warp::method())
        .then(move |tail: warp::path::Tail, method| {
            let app = app.clone();
            async move {
                if let Err(error) = ApiError::only_reads(&method) {
                    return error.response();
                }
                let mut response = match tail.as_str().trim_end_matches('/') {
                    "" => health(&app).await,
                    "live" => live(&app),
                    "ready" => ready(&app).await,
                    _ => ApiError::not_found("there is nothing at this path").response(),
                };
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
        })
        .boxed()
}

/// How the server is: always 200 while it answers
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Health)))]
pub(crate) async fn health(app: &App) -> Response {
    to_json(&state(app, status(app).await))
}

/// Whether the process lives
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, body = Health)))]
pub(crate) fn live(app: &App) -> Response {
    to_json(&state(app, "healthy"))
}

/// Whether the server can take requests
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses((status = 200, body = Health), (status = 503, description = "Draining, or without its database", body = Health))
)]
pub(crate) async fn ready(app: &App) -> Response {
    let status = status(app).await;
    let mut response = to_json(&state(app, status));
    if status != "healthy" {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

async fn status(app: &App) -> &'static str {
    if app.stop.is_cancelled() {
        "draining"
    } else if app.store.ping().await.is_err() {
        "no_database"
    } else {
        "healthy"
    }
}

fn state(app: &App, status: &'static str) -> Health {
    Health { status, service: "grtc", version: env!("CARGO_PKG_VERSION"), uptime_s: app.started.elapsed().as_secs() }
}
