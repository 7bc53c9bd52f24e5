//! Where the server is.

use std::{fmt, str::FromStr};

use grtc_protocol::RoomId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Back, Join};

/// What stands in a URL as it is (RFC 3986 section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server's address: `wss://HOST:PORT`, or `ws://…` without TLS, with an optional path before `/ws/…`. `https` is taken as
/// `wss`, `http` as `ws`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    /// Without a slash at the end.
    base: String,
}

/// Why a text is no server address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidServer {
    /// Not one of the four schemes.
    #[error("a server is given as wss://HOST:PORT, or ws://HOST:PORT without TLS")]
    Scheme,
    /// No host, or something that does not belong there.
    #[error("a server is given as wss://HOST:PORT or ws://HOST:PORT, without a query and a fragment")]
    Form,
}

impl FromStr for ServerUrl {
    type Err = InvalidServer;

    fn from_str(text: &str) -> Result<Self, InvalidServer> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidServer::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => "ws",
            "wss" | "https" => "wss",
            _ => return Err(InvalidServer::Scheme),
        };
        let base = format!("{scheme}://{}", rest.trim_end_matches('/'));
        let uri: tokio_tungstenite::tungstenite::http::Uri = base.parse().map_err(|_| InvalidServer::Form)?;
        let plain = uri.query().is_none() && !rest.contains('#') && !rest.contains('@');
        match uri.host() {
            Some(host) if !host.is_empty() && plain => Ok(Self { base }),
            _ => Err(InvalidServer::Form),
        }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl ServerUrl {
    /// Whether it is spoken to over TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.base.starts_with("wss:")
    }

    /// The WebSocket of a room, for who wants to be able to come back to it.
    pub(super) fn room(&self, room: &RoomId, join: &Join) -> String {
        let encoded = |name| utf8_percent_encode(name, UNRESERVED);
        let id = join.id.as_ref().map(|id| format!("peer_id={}&", encoded(id.as_str()))).unwrap_or_default();
        let back = match &join.back {
            Some(Back { token, received }) => format!("{}&received={received}", encoded(token)),
            None => String::new(),
        };
        format!("{}/ws/{}?{id}resume={back}", self.base, encoded(room.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(server: &str, room: &str, id: Option<&str>) -> String {
        let join = Join { id: id.map(|id| id.parse().unwrap()), back: None };
        server.parse::<ServerUrl>().unwrap().room(&room.parse().unwrap(), &join)
    }

    #[test]
    fn names_the_room_and_the_peer() {
        assert_eq!(room("ws://127.0.0.1:8001", "r", None), "ws://127.0.0.1:8001/ws/r?resume=");
        assert_eq!(
            room("http://host/base/", "a b", Some("é?&=/".trim_end_matches('/'))),
            "ws://host/base/ws/a%20b?peer_id=%C3%A9%3F%26%3D&resume="
        );
        assert_eq!(room("https://host:8443/base", "r", None), "wss://host:8443/base/ws/r?resume=");
        assert_eq!(room("WSS://host", "r", None), "wss://host/ws/r?resume=");
        assert_eq!(room("WS://[::1]:80", "x.y", Some("A-1_~")), "ws://[::1]:80/ws/x.y?peer_id=A-1_~&resume=");
    }

    #[test]
    fn says_what_it_comes_back_with() {
        let back = Some(Back { token: "t&=".to_owned(), received: 7 });
        let join = Join { id: Some("a".parse().unwrap()), back };
        let url = "ws://x".parse::<ServerUrl>().unwrap().room(&"r".parse().unwrap(), &join);
        assert_eq!(url, "ws://x/ws/r?peer_id=a&resume=t%26%3D&received=7");
    }

    #[test]
    fn refuses_what_is_no_server() {
        for (text, why) in [
            ("127.0.0.1:8001", InvalidServer::Scheme),
            ("ftp://x", InvalidServer::Scheme),
            ("wss://", InvalidServer::Form),
            ("ws://", InvalidServer::Form),
            ("ws://a b", InvalidServer::Form),
            ("ws://x/?y=1", InvalidServer::Form),
            ("ws://x/#y", InvalidServer::Form),
            ("ws://u:p@x", InvalidServer::Form),
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(why), "{text}");
        }
    }
}
