//! Web origins (RFC 6454), and the hosts that `Host` and `Origin` name.

use std::{fmt, net::IpAddr, str::FromStr};

use hyper::http::uri::Authority;
use serde::{Serialize, Serializer};

/// An origin: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// A text that names no origin.
#[derive(Debug, thiserror::Error)]
#[error("an origin is a scheme, a host and maybe a port, as https://app.example.org or http://localhost:3000")]
pub struct InvalidOrigin;

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidOrigin)?;
        let default = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(InvalidOrigin),
        };
        let (host, port) = host_and_port(rest).ok_or(InvalidOrigin)?;
        Ok(Self { scheme: scheme.to_owned(), host, port: port.unwrap_or(default) })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match (self.scheme.as_str(), self.port) {
            ("http", 80) | ("https", 443) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Origin {
    /// Whether this is where `host`, a `Host` header, leads to. Behind a proxy that ends TLS the scheme is not known.
    pub(crate) fn is_at(&self, host: &str) -> bool {
        let Some((name, port)) = host_and_port(host) else { return false };
        let default = if self.scheme == "https" { 443 } else { 80 };
        name == self.host && port.unwrap_or(default) == self.port
    }

    /// Whether its pages come over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Whether it names this machine and no other.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// Host (in lower case) and port of an authority without user information.
pub(crate) fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let authority: Authority = text.parse().ok()?;
    let host = authority.host();
    let port = authority.port().map(|port| port.as_str().parse::<u16>());
    let plain = text.strip_prefix(host)?;
    match port {
        None if plain.is_empty() => Some((host.to_ascii_lowercase(), None)),
        Some(Ok(port)) => Some((host.to_ascii_lowercase(), Some(port))),
        _ => None,
    }
}

/// Whether a host, in lower case, is this machine and no other.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
