//! `/api/jobs`: what became of the background work.

use std::sync::Arc;

use hyper::Method;
use warp::{path, reply::Response};

use super::{
    answer::to_json,
    context::{Context, items_need},
    item_answer::{again, response},
    item_body,
    request::path_id,
};
use crate::{
    error::ApiError,
    limits::{LIST_DEFAULT, LIST_ITEMS},
    route::{Request, Route, fixed},
    store::{
        JobPage, Store, StoreError,
        model::{Job, JobState},
    },
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
        Route::new(
            "/api/jobs/{job_id}/retry",
            items_need,
            path!("api" / "jobs" / String / "retry"),
            context,
            async |context, id, request| match request.head.method {
                Method::POST => retry(&context, &id, request).await,
                _ => Err(ApiError::method_not_allowed("POST")),
            },
        ),
    ]
}

/// Jobs, the newest first
#[utoipa::path(
    get, path = "/api/jobs", tag = "jobs",
    params(
        ("item_id" = Option<i64>, Query, description = "Those of this item"),
        ("state" = Option<JobState>, Query, description = "Those in this state"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "So many at most; 100 if not given"),
        ("before" = Option<i64>, Query, description = "Those that are older than the job with this id"),
    ),
    responses((status = 200, body = [Job]))
)]
pub(crate) async fn list(store: &Store, request: &Request) -> Result<Response, ApiError> {
    ApiError::only_reads(&request.head.method)?;
    let mut query = request.query();
    let page = JobPage {
        limit: query.number("limit", 1..=LIST_ITEMS).unwrap_or(LIST_DEFAULT),
        before: query.number("before", i64::MIN..=i64::MAX),
        item_id: query.number("item_id", i64::MIN..=i64::MAX),
        state: query.read("state", JobState::NAMES, JobState::from_name),
    };
    query.finish()?;
    Ok(to_json(&store.jobs(&page).await?))
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
        None => Err(StoreError::NoJob(number).into()),
    }
}

/// A job that has failed, tried again: its attempts begin anew
#[utoipa::path(
    post, path = "/api/jobs/{job_id}/retry", tag = "jobs",
    params(
        ("job_id" = i64, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Does the request once, however often it is sent"),
    ),
    responses(
        (status = 202, body = Job, headers(("Location" = String))),
        (status = 409, description = "It has not failed, or a request with this key is under way"),
    )
)]
pub(crate) async fn retry(app: &Context, id: &str, mut request: Request) -> Result<Response, ApiError> {
    let id = path_id(id, "job_id")?;
    let under_way = app.keys.start(&request)?;
    let body = request.optional_json().await?;
    item_body::nothing(&body)?;
    let path = format!("/api/jobs/{id}/retry?{}", request.raw_query());
    let once = under_way.once(&request, &path, &body, again);
    Ok(response(app.store.retry(id, once).await?.answer(again)))
}
