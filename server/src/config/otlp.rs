//! Where traces go.

use std::{fmt, str::FromStr};

use reqwest::Url;
use serde::{Serialize, Serializer};

/// Where a collector takes spans: OTLP over HTTP, in protobuf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(Url);

/// Why no spans can be sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOtlpEndpoint {
    /// Not a URL of that kind.
    #[error("it has to be like http://127.0.0.1:4318")]
    Url,
    /// A secret would stand on a command line.
    #[error("a password does not belong there: OTEL_EXPORTER_OTLP_HEADERS takes headers for the collector")]
    Password,
}

impl OtlpEndpoint {
    /// Where spans go: `v1/traces` below the endpoint, unless that is what it ends with.
    pub(crate) fn traces(&self) -> String {
        let base = self.0.as_str().trim_end_matches('/');
        if base.ends_with("/v1/traces") { base.to_owned() } else { format!("{base}/v1/traces") }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for OtlpEndpoint {
    type Err = InvalidOtlpEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidOtlpEndpoint> {
        let url: Url = text.parse().map_err(|_| InvalidOtlpEndpoint::Url)?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidOtlpEndpoint::Url);
        }
        match url.username().is_empty() && url.password().is_none() {
            true => Ok(Self(url)),
            false => Err(InvalidOtlpEndpoint::Password),
        }
    }
}

impl fmt::Display for OtlpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for OtlpEndpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_without_a_secret() {
        for (text, traces) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://otel.example.org/", "https://otel.example.org/v1/traces"),
            ("http://collector:4318/in/v1/traces", "http://collector:4318/in/v1/traces"),
        ] {
            assert_eq!(text.parse::<OtlpEndpoint>().unwrap().traces(), traces);
        }
        for text in ["", "4318", "127.0.0.1:4318", "grpc://h:4317", "http://", "http://h/?key=1", "http://h/#x"] {
            assert_eq!(text.parse::<OtlpEndpoint>(), Err(InvalidOtlpEndpoint::Url), "{text}");
        }
        for text in ["http://user:secret@h", "http://token@h"] {
            assert_eq!(text.parse::<OtlpEndpoint>(), Err(InvalidOtlpEndpoint::Password), "{text}");
        }
    }
}
