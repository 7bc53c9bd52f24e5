//! What a peer reports of one of its pairs: `{"type":"report",…}`. The server counts it and tells nobody.
//!
//! What is counted is one of few words, whatever is sent: a word that is not known is `other`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    json::{present, string},
    server::ErrorCode,
};

/// Longest time that is taken for one that a pair took to open.
const MOST: Duration = Duration::from_secs(600);

/// A pair's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether it opened.
    pub result: PairResult,
    /// How the side that reports is reached.
    pub local: Candidate,
    /// How the other side is.
    pub remote: Candidate,
    /// What datagrams went by.
    pub protocol: Transport,
    /// How long it took to open, where it did.
    pub took: Option<Duration>,
}

/// Whether a pair opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairResult {
    /// Its channel is open.
    Connected,
    /// It was given up.
    Failed,
}

/// The type of a candidate (RFC 8839, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// An address of the machine itself.
    Host,
    /// One that a STUN server sees.
    ServerReflexive,
    /// One that the other side sees.
    PeerReflexive,
    /// A relay's.
    Relay,
    /// None, or none that is known.
    Other,
}

/// The transport of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// None, or none that is known.
    Other,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    pair: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    timings_ms: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Pair<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    local: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    remote: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    protocol: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Timings {
    #[serde(default)]
    total: Option<f64>,
}

impl Report {
    /// Reads a frame that is one.
    ///
    /// # Errors
    /// The code and a sentence, when there is no `result` or it is another word than `connected` and `failed`.
    pub fn parse(text: &str) -> Result<Self, (ErrorCode, String)> {
        let unreadable = |error| (ErrorCode::BadJson, format!("the report can't be read: {error}"));
        let wire: Wire<'_> = serde_json::from_str(text).map_err(unreadable)?;
        let missing = || (ErrorCode::MissingField, "the message needs the field \"result\"".to_owned());
        let result = match string(wire.result.ok_or_else(missing)?).as_deref() {
            Some("connected") => PairResult::Connected,
            Some("failed") => PairResult::Failed,
            _ => return Err((ErrorCode::BadField, "\"result\" has to be connected or failed".to_owned())),
        };
        let pair: Pair<'_> = read(wire.pair);
        let total = read::<Timings>(wire.timings_ms).total.filter(|_| result == PairResult::Connected);
        Ok(Self {
            result,
            local: Candidate::of(pair.local),
            remote: Candidate::of(pair.remote),
            protocol: Transport::of(pair.protocol),
            took: total.and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok()).filter(|took| *took <= MOST),
        })
    }
}

/// What it says, or nothing where it is not there or says something else.
fn read<'a, T: Default + Deserialize<'a>>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

impl PairResult {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Failed => "failed",
        }
    }
}

impl Candidate {
    fn of(raw: Option<&RawValue>) -> Self {
        match raw.and_then(string).as_deref() {
            Some("host") => Self::Host,
            Some("srflx") => Self::ServerReflexive,
            Some("prflx") => Self::PeerReflexive,
            Some("relay") => Self::Relay,
            _ => Self::Other,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
            Self::Other => "other",
        }
    }
}

impl Transport {
    fn of(raw: Option<&RawValue>) -> Self {
        match raw.and_then(string).as_deref() {
            Some("udp") => Self::Udp,
            Some("tcp") => Self::Tcp,
            _ => Self::Other,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rest: &str) -> Result<Report, (ErrorCode, String)> {
        Report::parse(&format!(r#"{{"type":"report","peer_id":"b"{rest}}}"#))
    }

    #[test]
    fn an_outcome_is_a_few_words_whatever_is_sent() {
        let other = Report {
            result: PairResult::Failed,
            local: Candidate::Other,
            remote: Candidate::Other,
            protocol: Transport::Other,
            took: None,
        };
        for rest in [
            r#","result":"failed""#,
            r#","result":"failed","stage":"ice","pair":null,"timings_ms":null"#,
            r#","result":"failed","pair":[],"timings_ms":{"total":12}"#,
            r#","result":"failed","pair":{"local":7,"remote":"<script>","protocol":"carrier pigeon"}"#,
        ] {
            assert_eq!(report(rest), Ok(other), "{rest}");
        }
        let pair = r#","pair":{"local":"srflx","remote":"prflx","protocol":"tcp","x":1}"#;
        let connected = Report {
            result: PairResult::Connected,
            local: Candidate::ServerReflexive,
            remote: Candidate::PeerReflexive,
            protocol: Transport::Tcp,
            took: Some(Duration::from_micros(250_500)),
        };
        assert_eq!(
            report(&format!(r#","result":"connected","timings_ms":{{"ice":1,"total":250.5}}{pair}"#)),
            Ok(connected)
        );
        for total in ["-1", "1e9", "\"7\"", "null", "1e400"] {
            let timings = format!(r#","result":"connected","timings_ms":{{"total":{total}}}{pair}"#);
            assert_eq!(report(&timings), Ok(Report { took: None, ..connected }), "{total}");
        }
    }

    #[test]
    fn without_an_outcome_it_is_none() {
        assert_eq!(report("").unwrap_err().0, ErrorCode::MissingField);
        for result in ["7", "null", "\"perhaps\""] {
            assert_eq!(report(&format!(r#","result":{result}"#)).unwrap_err().0, ErrorCode::BadField);
        }
    }
}
