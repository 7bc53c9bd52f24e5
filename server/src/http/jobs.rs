//! `/api/jobs`: what became of the background work.

use std::sync::Arc;

use hyper::Method;
use warp::{path, reply::Response};

use super::{
    answer::to_json,
    context::{Context, items_need},
    request::path_id,
};
use crate::{
    error::ApiError,
    route::{Request, Route, fixed},
    store::{Store, model::Job},
};

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    vec![
        Route::new("/api/jobs", items_need, fixed(path!("api" / "jobs")), context, async |context, (), request| {
            list(&context.store, &request).await
        }),
        Route::new(
            "/api/jobs/{job_id}",
            items_need,
            path!("api" / "jobs" / String),
            context,
            async |context, id, request| read(&context.store, &id, &request.head.method).await,
        ),
    ]
}

/// The newest jobs, a hundred at most
#[utoipa::path(
    get, path = "/api/jobs", tag = "jobs", params(("item_id" = Option<i64>, Query, description = "Those of this item")),
    responses((status = 200, body = [Job]))
)]
pub(crate) async fn list(store: &Store, request: &Request) -> Result<Response, ApiError> {
    ApiError::only_reads(&request.head.method)?;
    let mut query = request.query();
    let item_id = query.number("item_id", i64::MIN..=i64::MAX);
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
