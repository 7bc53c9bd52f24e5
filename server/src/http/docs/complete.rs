//! What is the same for every operation of the description: unique names, the errors, and words for each answer.

use hyper::StatusCode;
use utoipa::{
    Modify,
    openapi::{Content, OpenApi, Ref, RefOr, Response, path::Operation},
};

/// Completes the description.
pub(super) struct Complete;

impl Modify for Complete {
    fn modify(&self, api: &mut OpenApi) {
        for (path, item) in &mut api.paths.paths {
            let methods = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
            for operation in methods.into_iter().flatten() {
                complete(path, operation);
            }
        }
    }
}

fn complete(path: &str, operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
    let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter.name.as_str()),
        RefOr::Ref(_) => None,
    });
    let parameters: Vec<_> = parameters.collect();
    let has_id = path.contains("_id}") && tag != "rooms";
    let has_body = operation.request_body.is_some();
    let errors = [
        (StatusCode::BAD_REQUEST, has_body),
        (StatusCode::NOT_FOUND, has_id),
        (StatusCode::REQUEST_TIMEOUT, has_body),
        (StatusCode::CONFLICT, parameters.contains(&"Idempotency-Key")),
        (StatusCode::PRECONDITION_FAILED, parameters.contains(&"If-Match")),
        (StatusCode::PAYLOAD_TOO_LARGE, has_body),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, has_body),
        (StatusCode::UNPROCESSABLE_ENTITY, tag != "rooms" && !parameters.is_empty() || has_body),
        (StatusCode::INTERNAL_SERVER_ERROR, true),
        (StatusCode::SERVICE_UNAVAILABLE, true),
    ];
    let responses = &mut operation.responses.responses;
    for (status, _) in errors.into_iter().filter(|(_, is_possible)| *is_possible) {
        responses.entry(status.as_str().to_owned()).or_insert_with(|| Response::new("").into());
    }
    for (status, response) in responses {
        let (RefOr::T(response), Ok(status)) = (response, StatusCode::from_bytes(status.as_bytes())) else { continue };
        if response.description.is_empty() {
            response.description = status.canonical_reason().unwrap_or_default().to_owned();
        }
        if (status.is_client_error() || status.is_server_error()) && response.content.is_empty() {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content.insert("application/problem+json".to_owned(), problem.into());
        }
    }
}
