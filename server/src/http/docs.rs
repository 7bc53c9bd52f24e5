//! `GET /openapi.json`, made from the code, and `/docs/`, where it can be browsed and tried without any other host.

mod complete;

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;
use warp::{Filter, path, path::Tail, reply::Response};

use self::complete::Complete;
use super::{
    admin,
    answer::{json, moved},
    events, health, ice_servers, item_schema, items, jobs, rooms, tickets,
};
use crate::{
    error::{ApiError, Problem},
    gate::Needs,
    route::{Request, Route, fixed},
};

#[derive(OpenApi)]
#[openapi(
    servers((url = ".", description = "This server, below whatever path it is")),
    info(
        title = "grtc",
        description = "Items that everybody sees live, and who is in which room. The rooms themselves are WebSockets at \
                       `/ws/{room_id}`: docs/PROTOCOL.md describes them. Every path answers with and without a trailing \
                       slash. Errors are `application/problem+json` (RFC 9457) with a stable `code`.",
        license(name = "MIT")
    ),
    paths(
        items::list, items::create, items::create_bulk, items::set_status, items::read, items::update, items::delete,
        events::events, items::process, jobs::list, jobs::read, jobs::retry, rooms::list, rooms::peers, ice_servers::ice_servers,
        tickets::ticket, admin::rooms, admin::room, admin::close, admin::kick, admin::revoke, admin::drain, admin::audit,
        health::health, health::live, health::ready
    ),
    components(schemas(Problem, item_schema::Sort)),
    modifiers(&Complete),
    tags(
        (name = "items", description = "The item store"),
        (name = "jobs", description = "The background work on items"),
        (name = "rooms", description = "Who is where"),
        (name = "access", description = "Tokens, on a server with keys"),
        (name = "admin", description = "Administration, on a server with keys: for tokens with `admin`"),
        (name = "health", description = "How the server is"),
    )
)]
struct Api;

/// Swagger UI styles its own elements, and has pictures in its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
     frame-ancestors 'none'; base-uri 'none'",
);

pub(super) fn routes() -> Vec<Route> {
    let description = Api::openapi().to_json().map(Bytes::from).map_err(|error| error.to_string());
    let config = Arc::new(Config::from("../openapi.json"));
    let tail = warp::path("docs").and(warp::path::tail());
    vec![
        Route::new("/openapi.json", |_, _| Needs::Public, fixed(path!("openapi.json")), &description, describe),
        Route::new(
            "/docs/…",
            |_, _| Needs::Public,
            tail,
            &config,
            async |config, tail: Tail, request| {
                ApiError::only_reads(&request.head.method)?;
                // The page's own links are relative.
                match tail.as_str() {
                    "" if !request.head.uri.path().ends_with('/') => Ok(moved("/docs/")),
                    name => file(name, config),
                }
            },
        ),
    ]
}

async fn describe(body: Result<Bytes, String>, (): (), request: Request) -> Result<Response, ApiError> {
    ApiError::only_reads(&request.head.method)?;
    body.map(json).map_err(ApiError::internal)
}

fn file(name: &str, config: Arc<Config<'static>>) -> Result<Response, ApiError> {
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => {
            let mut response = Response::new(file.bytes.into_owned().into());
            let headers = response.headers_mut();
            if let Ok(kind) = HeaderValue::try_from(file.content_type) {
                headers.insert(CONTENT_TYPE, kind);
            }
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
            Ok(response)
        }
        Ok(None) => Err(ApiError::not_found("there is no such file")),
        Err(error) => Err(ApiError::internal(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    /// The attributes of the description take literals only, and the page has its own copy.
    #[test]
    fn the_numbers_of_the_description_and_of_the_page_are_the_limits() {
        let api: serde_json::Value = serde_json::from_str(&Api::openapi().to_json().unwrap()).unwrap();
        for item in ["NewItem", "ItemChange"] {
            let fields = &api["components"]["schemas"][item]["properties"];
            assert_eq!(fields["title"]["maxLength"], limits::TITLE_CHARS, "{item}");
            assert_eq!(fields["description"]["maxLength"], limits::DESCRIPTION_CHARS, "{item}");
        }
        let schema = |path: &str, name: &str| {
            let parameters = api["paths"][path]["get"]["parameters"].as_array().unwrap();
            parameters.iter().find(|found| found["name"] == name).map(|found| &found["schema"]).unwrap()
        };
        assert_eq!(schema("/api/items/", "limit")["maximum"], limits::LIST_ITEMS);
        assert_eq!(schema("/api/jobs", "limit")["maximum"], limits::LIST_ITEMS);
        assert_eq!(schema("/api/items/", "q")["maxLength"], limits::QUERY_CHARS);
        let (text, title, long) = (api.to_string(), limits::TITLE_CHARS, limits::DESCRIPTION_CHARS / 1_000);
        for said in [
            format!("not 1 to {} items", limits::BULK_ITEMS),
            format!("not 1 to {} ids", limits::BULK_ITEMS),
            format!("at most; {} if not given", limits::LIST_DEFAULT),
            format!("the last {},000", limits::EVENT_HISTORY / 1_000),
            format!("Up to {long},000 characters"),
        ] {
            assert!(text.contains(&said), "{said}");
        }
        for (page, said) in [
            (include_str!("../../../web/js/items.js"), format!("TITLE_CHARS = {title};")),
            (include_str!("../../../web/js/items.js"), format!("DESCRIPTION_CHARS = {long}_000;")),
            (include_str!("../../../web/i18n/en.json"), format!("at most {title} characters")),
            (include_str!("../../../web/i18n/en.json"), format!("at most {long},000 characters")),
            (include_str!("../../../web/i18n/es.json"), format!("como máximo {title} caracteres")),
            (include_str!("../../../web/i18n/es.json"), format!("como máximo {long}.000 caracteres")),
        ] {
            assert!(page.contains(&said), "{said}");
        }
    }

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
            let token = serde_json::json!({"token": []});
            let security = match operation["tags"][0].as_str().unwrap() {
                "health" => serde_json::Value::Null,
                "admin" => serde_json::json!([token]),
                _ => serde_json::json!([token, {}]),
            };
            assert_eq!(operation["security"], security, "{operation}");
        }
        assert_eq!(names.len(), operations, "{names:?}");
        assert_eq!(api["components"]["securitySchemes"]["token"]["scheme"], "bearer");
        let text = api.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(api["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
