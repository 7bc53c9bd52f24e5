//! What a handler takes from a request: its method, headers, query and JSON body, each with its bound.

use std::{borrow::Cow, fmt::Display, ops::RangeInclusive, str::FromStr};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use grtc_protocol::id::InvalidName;
use hyper::{
    StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING},
};
use percent_encoding::percent_decode_str;
use tokio::time::timeout_at;

use crate::{
    error::{ApiError, FieldError, Loc},
    limits::BODY_BYTES,
    route::{Body, Request},
};

/// What is read of a body that was refused: a client that is cut off while it sends does not look for the answer.
const DISCARDED_BYTES: usize = 64 << 20;

impl Request {
    /// The header's value, if it is there and text.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The query's parameters. Of a repeated one the last counts; unknown ones are ignored.
    pub(super) fn query(&self) -> Query<'_> {
        Query { pairs: form_urlencoded::parse(self.raw_query().as_bytes()).collect(), errors: Vec::new() }
    }

    /// The query as it was sent.
    pub(super) fn raw_query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    /// The body of a request that may have none. One that is there has to be JSON.
    ///
    /// # Errors
    /// As [`Request::json`].
    pub(super) async fn optional_json(&mut self) -> Result<Bytes, ApiError> {
        let none = self.header(CONTENT_LENGTH).is_none_or(|length| length == "0");
        match none && !self.head.headers.contains_key(TRANSFER_ENCODING) {
            true => Ok(Bytes::new()),
            false => self.json().await,
        }
    }

    /// The body of a request that has to be JSON. What is in it is for the caller to read.
    ///
    /// # Errors
    /// 415 when it says to be something else, 413 when it is too large, 408 when it takes too long, 503 when others have all the
    /// memory for bodies.
    pub(super) async fn json(&mut self) -> Result<Bytes, ApiError> {
        let result = self.read_json().await;
        if result.is_err() {
            tokio::spawn(timeout_at(
                self.deadline,
                discard(std::mem::replace(&mut self.body, Box::pin(stream::empty()))),
            ));
        }
        result
    }

    async fn read_json(&mut self) -> Result<Bytes, ApiError> {
        let unsupported = |what| ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", what);
        if !self.header(CONTENT_TYPE).is_some_and(is_json) {
            return Err(unsupported("the body has to be JSON, with Content-Type: application/json"));
        }
        if self.header(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            return Err(unsupported("the body has to be sent without Content-Encoding"));
        }
        let announced = self.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()).unwrap_or(0);
        if announced > BODY_BYTES {
            return Err(too_large());
        }
        match timeout_at(self.deadline, self.collect()).await {
            Ok(body) => body,
            Err(_) => {
                Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "the body took too long to arrive"))
            }
        }
    }

    async fn collect(&mut self) -> Result<Bytes, ApiError> {
        let unreadable = |_| ApiError::bad_request("bad_body", "the body could not be read to its end");
        let Some(first) = self.body.next().await else { return Ok(Bytes::new()) };
        let first = first.map_err(unreadable)?;
        let Some(second) = self.body.next().await else { return Ok(first) };
        let mut whole = BytesMut::from(first);
        let mut chunk = second.map_err(unreadable)?;
        loop {
            whole.extend_from_slice(&chunk);
            if whole.len() as u64 > BODY_BYTES {
                return Err(too_large());
            }
            if !self.memory.grow(&mut self.share, whole.len()) {
                return Err(ApiError::unavailable("overloaded", "too many bodies are not whole yet: try again later"));
            }
            match self.body.next().await {
                Some(next) => chunk = next.map_err(unreadable)?,
                None => return Ok(whole.freeze()),
            }
        }
    }
}

async fn discard(mut body: Body) {
    let mut discarded = 0;
    while let Some(Ok(chunk)) = body.next().await {
        discarded += chunk.len();
        if discarded > DISCARDED_BYTES {
            return;
        }
    }
}

/// The id in a path. Every integer may be one; what is too large for one is of nothing.
///
/// # Errors
/// 422 when it is no integer, 404 when it is too large.
pub(super) fn path_id(raw: &str, name: &'static str) -> Result<i64, ApiError> {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let loc = vec![Loc::from("path"), Loc::from(name)];
        return Err(ApiError::invalid(vec![FieldError { loc, msg: "has to be an integer".to_owned() }]));
    }
    raw.parse().map_err(|_| ApiError::not_found(format!("there is no {name} {raw:.40}: the largest is {}", i64::MAX)))
}

/// The name in a path, percent-encoded there.
///
/// # Errors
/// 400 when it is none.
pub(super) fn path_name<T: FromStr<Err = InvalidName>>(raw: &str, what: &str) -> Result<T, ApiError> {
    let invalid = |why: String| ApiError::bad_request("bad_name", format!("{what}: {why}"));
    let text = percent_decode_str(raw).decode_utf8().map_err(|error| invalid(error.to_string()))?;
    text.parse().map_err(|error: InvalidName| invalid(error.to_string()))
}

fn is_json(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

fn too_large() -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body may have {BODY_BYTES} bytes at most"))
}

/// Reads parameters and gathers what is wrong with them.
pub(super) struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    errors: Vec<FieldError>,
}

impl Query<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// The value of a parameter as `read` has it, or nothing and an error that says what it has to be.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.get(name)?);
        if value.is_none() {
            self.refuse(name, format!("has to be {expected}"));
        }
        value
    }

    pub(super) fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        name: &'static str,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        let expected = format!("an integer from {} to {}", range.start(), range.end());
        self.read(name, &expected, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    pub(super) fn refuse(&mut self, name: &'static str, msg: String) {
        self.errors.push(FieldError { loc: vec![Loc::from("query"), Loc::from(name)], msg });
    }

    /// # Errors
    /// 422 with everything that was wrong.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        if self.errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(self.errors)) }
    }
}
