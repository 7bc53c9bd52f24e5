//! Answers of the item store as responses, entity tags (RFC 9110 section 8.8.3), and requests that are done once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use grtc_protocol::limits::IDEMPOTENCY_KEY_BYTES;
use hyper::{
    Method, StatusCode,
    header::{ETAG, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
};
use sha2::{Digest, Sha256};
use warp::reply::Response;

use super::json;
use crate::{
    error::ApiError,
    store::{
        StoreError,
        model::{Answer, Condition, Item},
        writer::{Done, Once},
    },
};

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::NotFound(_) => Self::not_found(detail),
            StoreError::Changed { version, .. } => {
                let error = Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail);
                match HeaderValue::try_from(etag(version)) {
                    Ok(tag) => error.with(ETAG, tag),
                    Err(_) => error,
                }
            }
            StoreError::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail),
            StoreError::Unavailable(cause) => Self::unavailable("database_unavailable", detail).because(cause),
            StoreError::Stopping => Self::unavailable("stopping", detail),
        }
    }
}

/// The entity tag of an item at a version.
pub(super) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The versions that an `If-Match` names. A tag that no item has names none.
pub(super) fn condition(header: Option<&HeaderValue>) -> Option<Condition> {
    let tags = header?.to_str().unwrap_or_default();
    if tags.trim() == "*" {
        return Some(Condition::Always);
    }
    let version = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    Some(Condition::Versions(tags.split(',').filter_map(version).collect()))
}

/// Whether an `If-None-Match` names this version. A tag that a proxy has made weak does too.
pub(super) fn knows(header: Option<&HeaderValue>, version: i64) -> bool {
    let strong = header.and_then(|tags| HeaderValue::try_from(tags.to_str().ok()?.replace("W/", "")).ok());
    condition(strong.as_ref()).is_some_and(|known| known.holds(version))
}

impl Answer {
    /// An item as the body.
    pub(super) fn item(status: StatusCode, item: &Item) -> Self {
        Self {
            status: status.as_u16(),
            location: None,
            etag: Some(etag(item.version)),
            body: serde_json::to_string(item).unwrap_or_default(),
        }
    }

    pub(super) fn response(self) -> Response {
        let mut response = json(self.body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in [(LOCATION, self.location), (ETAG, self.etag)] {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The idempotency keys of requests that are under way.
#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<Mutex<HashSet<String>>>);

/// A request under way, with its key if it has one. Dropping it frees the key.
pub(super) struct UnderWay {
    keys: Keys,
    key: Option<String>,
}

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl Keys {
    /// Marks a request with this key as under way.
    ///
    /// # Errors
    /// 409 while another one is, 400 for a key that can't be.
    pub(super) fn start(&self, key: Option<&HeaderValue>) -> Result<UnderWay, ApiError> {
        let Some(key) = key else { return Ok(UnderWay { keys: self.clone(), key: None }) };
        let valid = key.to_str().ok().filter(|key| (1..=IDEMPOTENCY_KEY_BYTES).contains(&key.len()));
        let Some(key) = valid else {
            let text = format!("Idempotency-Key has to be 1 to {IDEMPOTENCY_KEY_BYTES} printable ASCII characters");
            return Err(ApiError::bad_request("bad_idempotency_key", text));
        };
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned()) {
            let text = "a request with this Idempotency-Key is still under way";
            return Err(ApiError::new(StatusCode::CONFLICT, "idempotency_key_in_use", text)
                .with(RETRY_AFTER, HeaderValue::from_static("1")));
        }
        Ok(UnderWay { keys: self.clone(), key: Some(key.to_owned()) })
    }
}

impl UnderWay {
    /// What the store needs to do this request once.
    pub(super) fn once(&self, method: &Method, path: &str, body: &[u8], answer: fn(&Done) -> Answer) -> Option<Once> {
        let key = self.key.clone()?;
        let mut hash = Sha256::new();
        for part in [method.as_str().as_bytes(), path.as_bytes(), body] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let fingerprint = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Once { key, fingerprint, answer })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        }
    }
}

/// The answer to a request that may have been done before.
pub(super) fn answered(done: Done, answer: fn(&Done) -> Answer) -> Response {
    match done {
        Done::Again(first) => first.response(),
        done => answer(&done).response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entity_tags() {
        assert_eq!(condition(None), None);
        let header = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(condition(Some(&header(" * "))), Some(Condition::Always));
        assert_eq!(condition(Some(&header("\"1\", \"22\""))), Some(Condition::Versions(vec![1, 22])));
        for nothing in ["", "1", "\"x\"", "W/\"1\"", "\"1", "\"é\""] {
            assert_eq!(condition(Some(&header(nothing))), Some(Condition::Versions(vec![])), "{nothing}");
        }
        assert!(knows(Some(&header("\"2\", W/\"1\"")), 1) && !knows(Some(&header("\"2\"")), 1) && !knows(None, 1));
    }

    #[test]
    fn a_key_is_in_use_until_its_request_is_done() {
        let (keys, key) = (Keys::default(), HeaderValue::from_static("k"));
        let first = keys.start(Some(&key)).unwrap_or_else(|_| panic!("refused"));
        assert!(keys.start(Some(&key)).is_err());
        assert!(keys.start(None).is_ok());
        drop(first);
        assert!(keys.start(Some(&key)).is_ok());
    }
}
