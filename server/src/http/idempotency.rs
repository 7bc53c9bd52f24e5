//! Requests that carry an `Idempotency-Key` are done once, however often they are sent.

use std::{collections::HashSet, sync::Arc};

use hyper::{
    StatusCode,
    header::{HeaderName, HeaderValue, RETRY_AFTER},
};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::{
    error::ApiError,
    limits::IDEMPOTENCY_KEY_BYTES,
    route::Request,
    store::{Once, model::Answer},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The idempotency keys of requests that are under way.
#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<Mutex<HashSet<String>>>);

/// A request under way, with its key if it has one. Dropping it frees the key.
pub(super) struct UnderWay {
    keys: Keys,
    key: Option<String>,
}

impl Keys {
    /// Marks a request as under way.
    ///
    /// # Errors
    /// 409 while another one with its key is, 400 for a key that can't be.
    pub(super) fn start(&self, request: &Request) -> Result<UnderWay, ApiError> {
        let sub = request.bearer.as_ref().and_then(|caller| caller.sub.as_deref());
        self.take(request.head.headers.get(IDEMPOTENCY_KEY), sub)
    }

    /// A key is its bearer's own: nobody gets another one's answer by it.
    fn take(&self, key: Option<&HeaderValue>, sub: Option<&str>) -> Result<UnderWay, ApiError> {
        let Some(key) = key else { return Ok(UnderWay { keys: self.clone(), key: None }) };
        let valid =
            key.to_str().ok().filter(|key| (1..=IDEMPOTENCY_KEY_BYTES).contains(&key.len()) && !key.contains('\t'));
        let Some(key) = valid else {
            let text = format!("Idempotency-Key has to be 1 to {IDEMPOTENCY_KEY_BYTES} printable ASCII characters");
            return Err(ApiError::bad_request("bad_idempotency_key", text));
        };
        // No key has a line feed in it.
        let key = sub.map_or_else(|| key.to_owned(), |sub| format!("{key}\n{sub}"));
        if !self.0.lock().insert(key.clone()) {
            let text = "a request with this Idempotency-Key is still under way";
            return Err(ApiError::new(StatusCode::CONFLICT, "idempotency_key_in_use", text)
                .with(RETRY_AFTER, HeaderValue::from_static("1")));
        }
        Ok(UnderWay { keys: self.clone(), key: Some(key) })
    }
}

impl UnderWay {
    /// What the store needs to do this request once: `answer` makes the response that is kept.
    pub(super) fn once<T>(
        &self,
        request: &Request,
        path: &str,
        body: &[u8],
        answer: fn(&T) -> Answer,
    ) -> Option<Once<T>> {
        let key = self.key.clone()?;
        let mut hash = Sha256::new();
        for part in [request.head.method.as_str().as_bytes(), path.as_bytes(), body] {
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
            self.keys.0.lock().remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_use_until_its_request_is_done() {
        let (keys, key) = (Keys::default(), HeaderValue::from_static("k"));
        let first = keys.take(Some(&key), None).unwrap_or_else(|_| panic!("refused"));
        assert!(keys.take(Some(&key), None).is_err());
        assert!(keys.take(None, None).is_ok());
        drop(first);
        assert!(keys.take(Some(&key), None).is_ok());
    }

    #[test]
    fn a_key_is_printable_ascii() {
        for bad in ["", "a\tb", "é", &"k".repeat(IDEMPOTENCY_KEY_BYTES + 1)] {
            assert!(Keys::default().take(Some(&HeaderValue::from_str(bad).unwrap()), None).is_err(), "{bad:?}");
        }
    }
}
