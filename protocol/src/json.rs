//! Reading JSON whose values are left as the bytes they came in.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// For `deserialize_with` on an `Option`: a key that is there counts, even when its value is `null`.
///
/// # Errors
/// When the value is no JSON.
pub fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// The text of a JSON string, borrowed when it has no escapes; nothing for any other value, or for one whose escapes are
/// no Unicode text.
#[must_use]
pub fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().strip_prefix('"')?.strip_suffix('"') {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(raw.get()).ok().map(Cow::Owned),
    }
}
