//! What is the same for every operation of the description: unique names, the errors, and words for each answer.

use hyper::StatusCode;
use utoipa::{
    Modify,
    openapi::{
        Content, ObjectBuilder, OpenApi, Ref, RefOr, Response, Type,
        path::{Operation, Parameter},
    },
};

use crate::limits::IDEMPOTENCY_KEY_BYTES;

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
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            bound(parameter);
        }
    }
    let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter.name.as_str()),
        RefOr::Ref(_) => None,
    });
    let parameters: Vec<_> = parameters.collect();
    let has_id = path.contains("_id}") && tag != "rooms";
    // A request that is done once may have a body, and need not.
    let has_body = operation.request_body.is_some() || parameters.contains(&"Idempotency-Key");
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

/// What an idempotency key may be.
fn bound(parameter: &mut Parameter) {
    if parameter.name == "Idempotency-Key" {
        let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
        let schema = schema.max_length(Some(IDEMPOTENCY_KEY_BYTES)).pattern(Some("^[!-~]([ -~]*[!-~])?$"));
        parameter.schema = Some(schema.build().into());
    }
}
