//! `/api/jobs`: what became of the background work.

use hyper::Method;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{
    request::{Request, path_id, request},
    to_json,
};
use crate::{
    App,
    error::ApiError,
    store::{Store, model::Job},
};

pub(super) fn routes(app: &App) -> BoxedFilter<(Response,)> {
    let store = app.store.clone();
    let all = warp::path::end().and(request()).then(move |request: Request| {
        let store = store.clone();
        async move { list(&store, &request).await.unwrap_or_else(ApiError::response) }
    });
    let store = app.store.clone();
    let one = warp::path!(String).and(warp::method()).then(move |id: String, method| {
        let store = store.clone();
        async move { read(&store, &id, &method).await.unwrap_or_else(ApiError::response) }
    });
    all.or(one).unify().boxed()
}

/// The newest jobs, a hundred at most
#[utoipa::path(
    get, path = "/api/jobs", tag = "jobs", params(("item_id" = Option<i64>, Query, description = "Those of this item")),
    responses((status = 200, body = [Job]))
)]
pub(crate) async fn list(store: &Store, request: &Request) -> Result<Response, ApiError> {
    ApiError::only_reads(&request.method)?;
    let mut query = request.query();
    let item_id = query.number("item_id", "an integer", i64::MIN..=i64::MAX);
    query.finish()?;
    Ok(to_json(&store.jobs(item_id).await?))
}

/// A job
#[utoipa::path(
    get, path = "/api/jobs/{job_id}", tag = "jobs", params(("job_id" = i64, Path)),
    responses((status = 200, body = Job))
)]
pub(crate) async fn read(store: &Store, id: &str, method: &Method) -> Result<Response, ApiError> {
    ApiError::only_reads(method)?;
    let number = path_id(id, "job_id")?;
    match store.job(number).await? {
        Some(job) => Ok(to_json(&job)),
        None => Err(ApiError::not_found(format!("there is no job {number}"))),
    }
}
