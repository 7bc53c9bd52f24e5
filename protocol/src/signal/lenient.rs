//! Fields of signals as other clients write them: what is not of the kind that it should be is as good as absent. A
//! signal must not be lost for a field that is not needed.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::IceCandidate;

/// A string.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// A string that is empty when there is none.
pub(super) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text(deserializer)?.unwrap_or_default())
}

/// A `sdpMid`, which some write as a number.
pub(super) fn tag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(tag) => Ok(Some(tag)),
        Value::Number(tag) => Ok(Some(tag.to_string())),
        _ => Ok(None),
    }
}

/// A `sdpMLineIndex`.
pub(super) fn index<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    Ok(number
        .filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(number))
        .map(|number| number as u16))
}

/// A candidate, null, or the bare text of one.
pub(super) fn candidate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IceCandidate>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(candidate) => Some(IceCandidate { candidate, ..IceCandidate::default() }),
        value @ Value::Object(_) => serde_json::from_value(value).ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::signal::{IceCandidate, Signal};

    fn read(signal: &str) -> Option<Signal> {
        serde_json::from_str(signal).ok()
    }

    fn candidate(fields: &str) -> Option<IceCandidate> {
        let signal = format!(r#"{{"type":"ice_candidate","target_peer_id":"b","candidate":{fields}}}"#);
        let Some(Signal::IceCandidate { candidate, .. }) = read(&signal) else { panic!("not read: {signal}") };
        candidate
    }

    #[test]
    fn a_candidate_is_read_however_it_is_written() {
        let whole =
            candidate(r#"{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"u"}"#).unwrap();
        assert_eq!(
            (whole.sdp_mid.as_deref(), whole.sdp_m_line_index, whole.username_fragment.as_deref()),
            (Some("0"), Some(0), Some("u"))
        );
        for same in [
            r#"{"candidate":"candidate:1","sdpMid":0,"sdpMLineIndex":"0","usernameFragment":"u"}"#,
            r#"{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0.0,"usernameFragment":"u","foundation":1}"#,
        ] {
            assert_eq!(candidate(same).unwrap(), whole, "{same}");
        }
        for (fields, text) in [
            (r#""candidate:1""#, "candidate:1"),
            (
                r#"{"candidate":"candidate:1","sdpMid":null,"sdpMLineIndex":null,"usernameFragment":null}"#,
                "candidate:1",
            ),
            (r#"{"candidate":"candidate:1","sdpMid":[],"sdpMLineIndex":-1,"usernameFragment":7}"#, "candidate:1"),
            (r#"{"candidate":null}"#, ""),
            ("{}", ""),
        ] {
            let read = candidate(fields).unwrap();
            assert_eq!(read, IceCandidate { candidate: text.to_owned(), ..IceCandidate::default() }, "{fields}");
        }
        for fields in ["null", "false", "7", "[]"] {
            assert_eq!(candidate(fields), None, "{fields}");
        }
        assert!(read(r#"{"type":"ice_candidate","target_peer_id":"b"}"#).is_some(), "the end without a field");
    }

    #[test]
    fn an_attempt_that_is_no_text_names_none() {
        for attempt in ["null", "7", "{}", "[\"a\"]", "true"] {
            let signal = format!(
                r#"{{"type":"offer","target_peer_id":"b","offer":{{"sdp":"v=0","attempt":"x"}},"attempt":{attempt}}}"#
            );
            let Some(Signal::Offer { attempt: None, offer, .. }) = read(&signal) else { panic!("{signal}") };
            assert_eq!(offer.sdp, "v=0");
        }
    }

    #[test]
    fn a_description_needs_its_text() {
        for offer in ["null", "{}", r#"{"sdp":null}"#, r#"{"sdp":7}"#, r#""v=0""#] {
            assert!(read(&format!(r#"{{"type":"offer","target_peer_id":"b","offer":{offer}}}"#)).is_none(), "{offer}");
        }
    }
}
