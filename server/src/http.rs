//! The HTTP side: one file a resource, and the table of all routes.

pub(crate) mod access;
mod answer_budget;
mod docs;
mod etag;
mod events;
mod health;
mod ice_servers;
mod idempotency;
mod item_answer;
mod item_body;
mod item_list;
mod item_schema;
mod items;
mod jobs;
mod message;
mod page;
mod request;
mod rooms;
mod route;
pub(crate) mod serve;

use warp::{Filter, filters::BoxedFilter, reply::Response};

pub(crate) use answer_budget::AnswerBudget;
pub(crate) use idempotency::Keys;

use crate::{App, error::ApiError, ws};

/// Every route of the server. What is asked for most stands first.
pub(crate) fn routes(app: &App) -> BoxedFilter<(Response,)> {
    let items =
        warp::path!("api" / "items" / ..).and(events::route(app.clone()).or(items::routes(app.clone())).unify());
    let jobs = warp::path!("api" / "jobs" / ..).and(jobs::routes(app));
    ws::upgrade::route(app.sockets.clone())
        .or(items)
        .unify()
        .or(jobs)
        .unify()
        .or(rooms::routes(app.registry.clone()))
        .unify()
        .or(health::routes(app.clone()))
        .unify()
        .or(ice_servers::route(&app.config))
        .unify()
        .or(docs::routes())
        .unify()
        .or(page::routes(&app.config))
        .unify()
        .or(warp::any().map(|| ApiError::not_found("there is nothing at this path").response()))
        .unify()
        .boxed()
}

/// A JSON body that is there already.
pub(crate) fn json(body: impl Into<bytes::Bytes>) -> Response {
    let mut response = Response::new(body.into().into());
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}

/// A value as a JSON body.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => json(body),
        Err(error) => ApiError::internal(error).response(),
    }
}
