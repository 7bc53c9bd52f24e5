//! `/api/items`: the item store.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use warp::{path, reply::Response};

use super::{
    answer::{empty, to_json},
    context::{Context, items_need},
    etag::{condition, not_modified, tag},
    item_answer::{Queued, StatusCount, created, created_bulk, item, queued, response},
    item_body, item_list,
    item_schema::{ItemChange, ItemIds, NewItem, NewItems, Sort},
    request::path_id,
};
use crate::{
    error::ApiError,
    limits::{LIST_DEFAULT, LIST_ITEMS, QUERY_CHARS},
    route::{Request, Route, fixed},
    store::{
        Page,
        model::{Item, Status},
    },
};

type Result<T = Response> = std::result::Result<T, ApiError>;

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    vec![
        Route::new("/api/items/", items_need, fixed(path!("api" / "items")), context, all),
        Route::new("/api/items/bulk", items_need, fixed(path!("api" / "items" / "bulk")), context, bulk),
        Route::new(
            "/api/items/bulk/status",
            items_need,
            fixed(path!("api" / "items" / "bulk" / "status")),
            context,
            status,
        ),
        Route::new(
            "/api/items/{item_id}/process",
            items_need,
            path!("api" / "items" / String / "process"),
            context,
            work,
        ),
        Route::new("/api/items/{item_id}", items_need, path!("api" / "items" / String), context, one),
    ]
}

async fn all(app: Arc<Context>, (): (), request: Request) -> Result {
    match request.head.method {
        Method::GET | Method::HEAD => list(&app, &request).await,
        Method::POST => create(&app, request).await,
        _ => Err(ApiError::method_not_allowed("GET, HEAD, POST")),
    }
}

async fn bulk(app: Arc<Context>, (): (), request: Request) -> Result {
    match request.head.method {
        Method::POST => create_bulk(&app, request).await,
        _ => Err(ApiError::method_not_allowed("POST")),
    }
}

async fn status(app: Arc<Context>, (): (), request: Request) -> Result {
    match request.head.method {
        Method::PATCH => set_status(&app, request).await,
        _ => Err(ApiError::method_not_allowed("PATCH")),
    }
}

async fn work(app: Arc<Context>, id: String, request: Request) -> Result {
    match request.head.method {
        Method::POST => process(&app, &id, request).await,
        _ => Err(ApiError::method_not_allowed("POST")),
    }
}

async fn one(app: Arc<Context>, id: String, request: Request) -> Result {
    match request.head.method {
        Method::GET | Method::HEAD => read(&app, &id, &request).await,
        Method::PUT => update(&app, &id, request).await,
        Method::DELETE => delete(&app, &id, &request).await,
        _ => Err(ApiError::method_not_allowed("GET, HEAD, PUT, DELETE")),
    }
}

fn item_id(raw: &str) -> Result<i64> {
    path_id(raw, "item_id")
}

/// Items, by id
#[utoipa::path(
    get, path = "/api/items/", tag = "items",
    params(
        ("skip" = Option<u64>, Query, minimum = 0, description = "So many are left out first"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "So many at most; 100 if not given"),
        ("status" = Option<Status>, Query, description = "Those of this status"),
        ("sort" = Option<Sort>, Query, description = "`id` or `-id`, the newest first"),
        ("q" = Option<String>, Query, max_length = 200, pattern = "^[^\\u0000]*$", description = "Text in the title or the description"),
    ),
    responses(
        (status = 200, body = [Item], headers(("X-Total-Count" = u64, description = "How many match the filter"))),
    )
)]
pub(crate) async fn list(app: &Context, request: &Request) -> Result {
    let mut query = request.query();
    let page = Page {
        skip: query.number("skip", 0..=i64::MAX.unsigned_abs()).unwrap_or(0),
        limit: query.number("limit", 1..=LIST_ITEMS).unwrap_or(LIST_DEFAULT),
        status: query.read("status", Status::NAMES, Status::from_name),
        descending: query
            .read("sort", "id or -id", |sort| match sort {
                "id" => Some(false),
                "-id" => Some(true),
                _ => None,
            })
            .unwrap_or(false),
        text: query
            .read("q", &format!("at most {QUERY_CHARS} characters, none of them NUL"), |text| {
                (text.chars().count() <= QUERY_CHARS && !text.contains('\0')).then(|| text.to_owned())
            })
            .filter(|text| !text.is_empty()),
        after: None,
    };
    query.finish()?;
    item_list::answer(app.store.clone(), app.budget.clone(), page).await
}

/// A new item
#[utoipa::path(
    post, path = "/api/items/", tag = "items", request_body = NewItem,
    params(("Idempotency-Key" = Option<String>, Header, description = "Does the request once, however often it is sent")),
    responses((status = 201, body = Item, headers(("Location" = String), ("ETag" = String))))
)]
pub(crate) async fn create(app: &Context, mut request: Request) -> Result {
    let under_way = app.keys.start(&request)?;
    let body = request.json().await?;
    let item = item_body::new_item(&body)?;
    let once = under_way.once(&request, "/api/items", &body, created);
    Ok(response(app.store.create(vec![item], once).await?.answer(created)))
}

/// Many new items: all or none
#[utoipa::path(
    post, path = "/api/items/bulk", tag = "items", request_body = NewItems,
    params(("Idempotency-Key" = Option<String>, Header, description = "Does the request once, however often it is sent")),
    responses(
        (status = 201, body = [Item], description = "In the order sent"),
        (status = 400, description = "Not JSON, or not 1 to 1000 items"),
    )
)]
pub(crate) async fn create_bulk(app: &Context, mut request: Request) -> Result {
    let under_way = app.keys.start(&request)?;
    let body = request.json().await?;
    let items = item_body::new_items(&body)?;
    let once = under_way.once(&request, "/api/items/bulk", &body, created_bulk);
    Ok(response(app.store.create(items, once).await?.answer(created_bulk)))
}

/// One status for many items; ids of no item are skipped
#[utoipa::path(
    patch, path = "/api/items/bulk/status", tag = "items", request_body = ItemIds,
    params(("new_status" = Status, Query)),
    responses((status = 200, body = StatusCount), (status = 400, description = "Not JSON, or not 1 to 1000 ids"))
)]
pub(crate) async fn set_status(app: &Context, mut request: Request) -> Result {
    let mut query = request.query();
    let status = query.read("new_status", Status::NAMES, Status::from_name);
    if query.get("new_status").is_none() {
        query.refuse("new_status", "is required".to_owned());
    }
    query.finish()?;
    let Some(status) = status else { return Err(ApiError::internal("a status that is neither there nor refused")) };
    let ids = item_body::ids(&request.json().await?)?;
    let updated_count = app.store.set_status(ids, status).await?;
    Ok(to_json(&StatusCount { updated_count, status }))
}

/// An item
#[utoipa::path(
    get, path = "/api/items/{item_id}", tag = "items",
    params(("item_id" = i64, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = Item, headers(("ETag" = String))), (status = 304, description = "Not changed"))
)]
pub(crate) async fn read(app: &Context, id: &str, request: &Request) -> Result {
    let found = app.store.item(item_id(id)?).await?;
    match not_modified(&request.head.headers, &tag(&found.version.to_string())?) {
        Some(response) => Ok(response),
        None => Ok(response(item(StatusCode::OK, &found))),
    }
}

/// A change of an item: what the body does not have stays as it is
#[utoipa::path(
    put, path = "/api/items/{item_id}", tag = "items", request_body = ItemChange,
    params(("item_id" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = Item, headers(("ETag" = String))))
)]
pub(crate) async fn update(app: &Context, id: &str, mut request: Request) -> Result {
    let id = item_id(id)?;
    let patch = item_body::patch(&request.json().await?)?;
    let changed = app.store.update(id, patch, condition(&request.head.headers)).await?;
    Ok(response(item(StatusCode::OK, &changed)))
}

/// The end of an item; its id is never used again
#[utoipa::path(
    delete, path = "/api/items/{item_id}", tag = "items",
    params(("item_id" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204))
)]
pub(crate) async fn delete(app: &Context, id: &str, request: &Request) -> Result {
    let id = item_id(id)?;
    app.store.delete(id, condition(&request.head.headers)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// A job for an item, done in the background
#[utoipa::path(
    post, path = "/api/items/{item_id}/process", tag = "jobs",
    params(
        ("item_id" = i64, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Does the request once, however often it is sent"),
    ),
    responses((status = 202, body = Queued, headers(("Location" = String))))
)]
pub(crate) async fn process(app: &Context, id: &str, mut request: Request) -> Result {
    let id = item_id(id)?;
    let under_way = app.keys.start(&request)?;
    let body = request.optional_json().await?;
    item_body::nothing(&body)?;
    let path = format!("/api/items/{id}/process?{}", request.raw_query());
    let once = under_way.once(&request, &path, &body, queued);
    Ok(response(app.store.process(id, once).await?.answer(queued)))
}
