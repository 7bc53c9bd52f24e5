//! `GET /openapi.json`, made from the code, and `/docs/`, where it can be browsed and tried without any other host.

mod complete;

use std::sync::Arc;

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION},
};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use self::complete::Complete;
use super::{events, health, ice_servers, items, jobs, json, rooms};
use crate::error::{ApiError, Problem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "grtc",
        description = "Items that everybody sees live, and who is in which room. The rooms themselves are WebSockets at \
                       `/ws/{room_id}`: docs/PROTOCOL.md describes them. Every path answers with and without a trailing \
                       slash. Errors are `application/problem+json` (RFC 9457) with a stable `code`.",
        license(name = "MIT")
    ),
    paths(
        items::list, items::create, items::create_bulk, items::set_status, items::read, items::update, items::delete,
        events::events, items::process, jobs::list, jobs::read, rooms::list, rooms::peers, ice_servers::route,
        health::health, health::live, health::ready
    ),
    components(schemas(Problem)),
    modifiers(&Complete),
    tags(
        (name = "items", description = "The item store"),
        (name = "jobs", description = "The background work on items"),
        (name = "rooms", description = "Who is where"),
        (name = "health", description = "How the server is"),
    )
)]
struct Api;

/// Swagger UI styles its own elements, and has pictures in its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
     frame-ancestors 'none'; base-uri 'none'",
);

pub(super) fn routes() -> BoxedFilter<(Response,)> {
    let description = Api::openapi().to_json().map(Bytes::from).map_err(|error| error.to_string());
    let api = warp::path!("openapi.json").and(warp::method()).map(move |method| {
        let body = ApiError::only_reads(&method).and_then(|()| description.clone().map_err(ApiError::internal));
        body.map_or_else(ApiError::response, json)
    });
    let config = Arc::new(Config::from("/openapi.json"));
    let docs = warp::path("docs").and(warp::path::full()).and(warp::path::tail()).and(warp::method()).map(
        move |full: warp::path::FullPath, tail: warp::path::Tail, method| match ApiError::only_reads(&method) {
            Err(error) => error.response(),
            // The page's own links are relative.
            Ok(()) if full.as_str() == "/docs" => moved("/docs/"),
            Ok(()) => file(tail.as_str(), config.clone()),
        },
    );
    api.or(docs).unify().boxed()
}

fn moved(to: &'static str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    response
}

fn file(name: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => {
            let mut response = Response::new(file.bytes.into_owned().into());
            let headers = response.headers_mut();
            if let Ok(kind) = HeaderValue::try_from(file.content_type) {
                headers.insert(CONTENT_TYPE, kind);
            }
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
            response
        }
        Ok(None) => ApiError::not_found("there is no such file").response(),
        Err(error) => ApiError::internal(error).response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_names_every_path_and_resolves() {
        let api: serde_json::Value = serde_json::from_str(&Api::openapi().to_json().unwrap()).unwrap();
        let paths = api["paths"].as_object().unwrap();
        for path in
            ["/api/items/", "/api/items/{item_id}", "/api/items/bulk/status", "/rooms/{room_id}/peers", "/health"]
        {
            assert!(paths.contains_key(path), "{path}");
        }
        let (mut names, mut operations) = (std::collections::BTreeSet::new(), 0);
        for operation in paths.values().flat_map(|path| path.as_object().unwrap().values()) {
            operations += 1;
            names.insert(operation["operationId"].as_str().unwrap());
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].is_string(), "{status} of {operation}");
                let is_problem = response["content"].get("application/problem+json").is_some();
                assert_eq!(is_problem, &**status >= "400" && !response.to_string().contains("Health"), "{operation}");
            }
        }
        assert_eq!(names.len(), operations, "{names:?}");
        let text = api.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(api["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
