//! Times as the API shows them: RFC 3339 in UTC with six digits, `2026-01-31T12:00:00.000000Z`, from 1970 on.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serializer,
    de::{Error as _, Unexpected},
    ser::Error as _,
};

/// Microseconds since 1970 as text.
pub(super) fn serialize<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    let text = text(*micros).ok_or_else(|| S::Error::custom(format!("{micros} µs since 1970 is no time")))?;
    serializer.serialize_str(&text)
}

/// Only what [`serialize`] writes: one text a time.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let said = Cow::<str>::deserialize(deserializer)?;
    let micros = said.parse::<Timestamp>().ok().map(Timestamp::as_microsecond);
    micros.filter(|micros| text(*micros).is_some_and(|text| text == said)).ok_or_else(|| {
        let expected = "a time from 1970 to 9999 as 2026-01-31T12:00:00.000000Z";
        D::Error::invalid_value(Unexpected::Str(&said), &expected)
    })
}

fn text(micros: i64) -> Option<String> {
    let time = Timestamp::from_microsecond(micros).ok().filter(|_| micros >= 0)?;
    Some(format!("{time:.6}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    /// The last microsecond that the clock of this program knows.
    const LAST: i64 = 253_402_207_200_000_000;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct At(#[serde(with = "super")] i64);

    #[test]
    fn has_one_text_for_each_time() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_769_860_800_000_001, "2026-01-31T12:00:00.000001Z"),
            (LAST, "9999-12-30T22:00:00.000000Z"),
        ] {
            let json = format!("\"{text}\"");
            assert_eq!(serde_json::to_string(&At(micros)).unwrap(), json);
            assert_eq!(serde_json::from_str::<At>(&json).unwrap(), At(micros));
        }
        assert!(serde_json::to_string(&At(-1)).is_err() && serde_json::to_string(&At(LAST + 1)).is_err());
    }

    #[test]
    fn refuses_every_other_text() {
        for text in [
            "",
            "now",
            "2026-01-31",
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00.000Z",
            "2026-01-31T12:00:00.0000001Z",
            "2026-01-31t12:00:00.000000z",
            "2026-01-31 12:00:00.000000Z",
            "2026-01-31T12:00:00.000000+00:00",
            "2026-01-31T12:00:00.000000",
            "2026-01-31T12:00:60.000000Z",
            "2026-02-30T12:00:00.000000Z",
            "1969-12-31T23:59:59.999999Z",
            "9999-12-31T00:00:00.000000Z",
            "-009999-01-02T00:00:00.000000Z",
            "+010000-01-01T00:00:00.000000Z",
        ] {
            let error = serde_json::from_str::<At>(&format!("\"{text}\"")).unwrap_err().to_string();
            assert!(error.contains("2026-01-31T12:00:00.000000Z"), "{text}: {error}");
        }
        assert!(serde_json::from_str::<At>("0").is_err());
    }

    proptest! {
        #[test]
        fn comes_back_as_it_was(micros in 0..=LAST) {
            let json = serde_json::to_string(&At(micros)).unwrap();
            prop_assert_eq!(serde_json::from_str::<At>(&json).unwrap(), At(micros));
        }
    }
}
