//! Errors that a client sees, as `application/problem+json` (RFC 9457). The one place that turns them into responses.

use std::{borrow::Cow, fmt};

use hyper::{
    Method, StatusCode,
    header::{ALLOW, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use warp::reply::Response;

use crate::auth::{Refused, Why};
use crate::store::{StoreError, model::etag};

/// An error with the status, the stable code and the sentence that the client gets.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Cause>,
}

/// Why the server failed: travels with the response to where it is logged under its request id, never to the client.
#[derive(Clone, Debug)]
pub(crate) struct Cause(pub(crate) String);

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        Self::unauthorized(refused)
    }
}

/// What is wrong at one place of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct FieldError {
    /// The way there, as `["body", "title"]`.
    pub(crate) loc: Vec<Loc>,
    /// What is wrong, for a person.
    pub(crate) msg: String,
}

/// One step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(crate) enum Loc {
    /// A key.
    Key(Cow<'static, str>),
    /// A place in an array.
    Index(usize),
}

impl From<&'static str> for Loc {
    fn from(key: &'static str) -> Self {
        Self::Key(Cow::Borrowed(key))
    }
}

/// The body of an error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), headers: Vec::new(), cause: None }
    }

    pub(crate) fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("this path takes {allow}"))
            .with(ALLOW, HeaderValue::from_static(allow))
    }

    /// For a path that can only be read.
    ///
    /// # Errors
    /// 405 for all others.
    pub(crate) fn only_reads(method: &Method) -> Result<(), Self> {
        match *method {
            Method::GET | Method::HEAD => Ok(()),
            _ => Err(Self::method_not_allowed("GET, HEAD")),
        }
    }

    /// Fields or query parameters that can't be.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(FieldError::to_string).collect::<Vec<_>>().join("; ");
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail);
        error.errors = errors;
        error
    }

    /// Something that comes right by itself.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).with(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// A fault of the server's own. The log gets the cause; the client gets the id under which it stands there, which
    /// every response carries.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        let detail = "the server failed at this; its log has the cause under the X-Request-Id of this response";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).because(cause)
    }

    /// A token that is not there, not good, or not for this (RFC 6750 section 3).
    fn unauthorized(refused: Refused) -> Self {
        if let Some(wait) = refused.wait {
            // Whole seconds, and none too few.
            let seconds = HeaderValue::from(wait.as_millis().div_ceil(1_000).try_into().unwrap_or(u32::MAX));
            let text = "too many bad tokens came from this address: wait before the next one";
            return Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_bad_tokens", text).with(RETRY_AFTER, seconds);
        }
        let (status, challenge) = match refused.why {
            Why::NotAuthenticated => (StatusCode::UNAUTHORIZED, "Bearer"),
            Why::Invalid | Why::Expired => (StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\""),
            Why::NotAllowed => return Self::new(StatusCode::FORBIDDEN, refused.why.code(), refused.text),
        };
        Self::new(status, refused.why.code(), refused.text).with(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// With the cause for the log.
    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(Cause(format!("{cause:#}")));
        self
    }

    /// With one more header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    #[cfg(test)]
    pub(crate) fn parts(self) -> (u16, Vec<FieldError>) {
        (self.status.as_u16(), self.errors)
    }

    /// The body (RFC 9457).
    pub(crate) fn problem(&self) -> String {
        let problem = Problem {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            errors: &self.errors,
        };
        serde_json::to_string(&problem).unwrap_or_default()
    }

    pub(crate) fn response(self) -> Response {
        let mut response = Response::new(self.problem().into());
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::NotFound(_) | StoreError::NoJob(_) => Self::not_found(detail),
            StoreError::NotFailed { .. } => Self::new(StatusCode::CONFLICT, "job_not_failed", detail),
            StoreError::Changed { version, .. } => {
                let error = Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail);
                match HeaderValue::try_from(etag(version)) {
                    Ok(tag) => error.with(ETAG, tag),
                    Err(_) => error,
                }
            }
            StoreError::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail),
            StoreError::Unavailable(cause) => Self::unavailable("database_unavailable", detail).because(cause),
            StoreError::Full => Self::unavailable("disk_full", detail),
            StoreError::Stopping => Self::unavailable("stopping", detail),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, loc) in self.loc.iter().enumerate() {
            match loc {
                Loc::Key(key) => write!(f, "{}{key}", if n > 0 { "." } else { "" })?,
                Loc::Index(index) => write!(f, "[{index}]")?,
            }
        }
        write!(f, ": {}", self.msg)
    }
}
