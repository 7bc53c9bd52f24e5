//! What is the same for every operation of the description: unique names, the errors, the token, and words for each answer.

use hyper::StatusCode;
use utoipa::{
    Modify,
    openapi::{
        Content, ObjectBuilder, OpenApi, Ref, RefOr, Response, Type,
        path::{Operation, Parameter},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::limits::IDEMPOTENCY_KEY_BYTES;

/// The name that the description has for tokens.
const TOKEN: &str = "token";

/// Completes the description.
pub(super) struct Complete;

impl Modify for Complete {
    fn modify(&self, api: &mut OpenApi) {
        api.components.get_or_insert_default().add_security_scheme(TOKEN, bearer());
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
    operation.security = security(&tag);
    operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            bound(parameter);
        }
    }
    let parameters: Vec<_> = operation.parameters.iter().flatten().filter_map(name).collect();
    let has_id = path.contains("_id}") && tag != "rooms";
    // A request that is done once may have a body, and need not.
    let has_body = operation.request_body.is_some() || parameters.contains(&"Idempotency-Key");
    let errors = [
        (StatusCode::BAD_REQUEST, has_body),
        (StatusCode::UNAUTHORIZED, tag != "health"),
        (StatusCode::FORBIDDEN, tag != "health"),
        (StatusCode::NOT_FOUND, has_id),
        (StatusCode::REQUEST_TIMEOUT, has_body),
        (StatusCode::CONFLICT, parameters.contains(&"Idempotency-Key")),
        (StatusCode::PRECONDITION_FAILED, parameters.contains(&"If-Match")),
        (StatusCode::PAYLOAD_TOO_LARGE, has_body),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, has_body),
        (StatusCode::UNPROCESSABLE_ENTITY, tag != "rooms" && !parameters.is_empty() || has_body),
        (StatusCode::TOO_MANY_REQUESTS, !path.starts_with("/health")),
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

/// A token is shown as RFC 6750 has it.
fn bearer() -> SecurityScheme {
    let words = "Of a server with keys: `grtc-server token create` makes one. It names the rooms and what of the items it is for.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    SecurityScheme::Http(scheme.description(Some(words)).build())
}

/// Health is for everybody, administration for tokens alone; all else asks for one where the server has keys.
fn security(tag: &str) -> Option<Vec<SecurityRequirement>> {
    let token = SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, []);
    match tag {
        "health" => None,
        "admin" => Some(vec![token]),
        _ => Some(vec![token, SecurityRequirement::default()]),
    }
}

fn name(parameter: &RefOr<Parameter>) -> Option<&str> {
    match parameter {
        RefOr::T(parameter) => Some(parameter.name.as_str()),
        RefOr::Ref(_) => None,
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
