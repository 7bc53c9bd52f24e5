//! `--public-address`: the name of this server for those outside.

use std::{fmt, net::IpAddr, str::FromStr};

use hyper::http::uri::Authority;
use serde::{Serialize, Serializer};

/// A host, and maybe a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAddress(Authority);

/// A text that is none.
#[derive(Debug, thiserror::Error)]
#[error("it takes a name or an address, and maybe a port, as relay.example.org, 203.0.113.7:8001 or [2001:db8::1]")]
pub struct InvalidPublicAddress;

impl FromStr for PublicAddress {
    type Err = InvalidPublicAddress;

    fn from_str(text: &str) -> Result<Self, InvalidPublicAddress> {
        let authority: Authority = text.parse().map_err(|_| InvalidPublicAddress)?;
        let port = text.strip_prefix(authority.host()).ok_or(InvalidPublicAddress)?;
        let usable = port.is_empty() || authority.port_u16().is_some_and(|port| port > 0);
        if usable && !authority.host().is_empty() { Ok(Self(authority)) } else { Err(InvalidPublicAddress) }
    }
}

impl fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Serialize for PublicAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PublicAddress {
    /// The host and the port, which is `port` where none is named.
    pub(crate) fn with_port(&self, port: u16) -> String {
        format!("{}:{}", self.0.host(), self.0.port_u16().unwrap_or(port))
    }

    /// The host, and this port whichever is named.
    pub(crate) fn at_port(&self, port: u16) -> String {
        format!("{}:{port}", self.0.host())
    }

    /// The host, if it is an address.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.0.host().trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_its_port_or_the_server_s() {
        for (text, told) in [
            ("relay.example.org", "relay.example.org:8001"),
            ("203.0.113.7:443", "203.0.113.7:443"),
            ("[2001:db8::1]", "[2001:db8::1]:8001"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ] {
            assert_eq!(text.parse::<PublicAddress>().unwrap().with_port(8001), told);
        }
        for text in ["", ":443", "h:", "h:0", "h:99999", "u@h", "http://h", "h/x", "a b", "h?x"] {
            assert!(text.parse::<PublicAddress>().is_err(), "{text}");
        }
        assert_eq!("[::1]:7".parse::<PublicAddress>().unwrap().ip(), Some("::1".parse().unwrap()));
        assert_eq!("h".parse::<PublicAddress>().unwrap().ip(), None);
    }
}
