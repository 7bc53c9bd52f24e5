//! Reading JSON whose values are left as the bytes they came in.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny},
};
use serde_json::value::RawValue;

/// For `deserialize_with` on an `Option`: a key that is there counts, even when its value is `null`.
///
/// # Errors
/// When the value is no JSON.
pub fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// What a value has to be that [`string`] takes for none, to be said after its name.
#[must_use]
pub fn not_a_string(raw: &RawValue) -> &'static str {
    if raw.get().starts_with('"') {
        r"has half of a surrogate pair (\ud800 to \udfff) without its other half, which is no Unicode text"
    } else {
        "has to be a string"
    }
}

/// Why a text is no JSON, where that is plain to see at its beginning and a reader's own words don't say it.
#[must_use]
pub fn not_json(text: &[u8]) -> Option<&'static str> {
    match text {
        [] => Some("it is empty"),
        [0xef, 0xbb, 0xbf, ..] => {
            Some("it begins with a byte order mark (U+FEFF), which has to be left out (RFC 8259)")
        }
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, _, ..] | [_, 0, ..] => {
            Some("it has to be UTF-8, not UTF-16 or UTF-32")
        }
        [0x1f, 0x8b, ..] => Some("it is compressed, and has to be sent as it is"),
        _ => None,
    }
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

/// Reads an object with these fields. The library takes a list of their values as well, which is another thing.
///
/// # Errors
/// When it is not one.
pub fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    match json.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(json),
        // What is no JSON at all is told as such.
        _ => Err(serde_json::from_slice::<IgnoredAny>(json)
            .err()
            .unwrap_or_else(|| serde_json::Error::custom("it is no object"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_a_value_is_no_string() {
        for (json, said) in [
            (r#""\ud800""#, "surrogate"),
            (r#""a\udc00b""#, "surrogate"),
            (r#""\udc00\ud800""#, "surrogate"),
            ("7", "string"),
            ("null", "string"),
        ] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert!(string(raw).is_none() && not_a_string(raw).contains(said), "{json}: {}", not_a_string(raw));
        }
        let pair: &RawValue = serde_json::from_str(r#""\ud83d\ude00""#).unwrap();
        assert_eq!(string(pair).as_deref(), Some("😀"));
    }

    #[test]
    fn says_why_a_text_is_no_json() {
        for (text, said) in [
            (&b""[..], "empty"),
            (b"\xef\xbb\xbf{}", "byte order mark"),
            (b"\xff\xfe{\0}\0", "UTF-8"),
            (b"\xfe\xff\0{\0}", "UTF-8"),
            (b"{\0}\0", "UTF-8"),
            (b"\0{\0}", "UTF-8"),
            (b"\x1f\x8b\x08", "compressed"),
        ] {
            assert!(not_json(text).is_some_and(|why| why.contains(said)), "{text:?}");
        }
        assert_eq!((not_json(b"{}"), not_json(b"7"), not_json(b"x")), (None, None, None));
    }
}
