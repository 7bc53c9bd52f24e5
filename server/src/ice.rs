//! The ICE servers that a peer is told for its `RTCPeerConnection`.

use std::sync::Arc;

use grtc_protocol::PeerId;
use hyper::http::uri::Authority;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Why the URL of an ICE server can't be told to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not a URL of RFC 7064.
    #[error("it has to be like stun:stun.example.org:3478")]
    NotStun,
    /// Without credentials, browsers refuse a TURN server and all that is named beside it.
    #[error("a TURN server takes credentials, and grtc-server has none to give out yet")]
    Turn,
}

/// Whether clients can be told this URL: that of a STUN server (RFC 7064).
///
/// # Errors
/// Why not.
pub(crate) fn check(url: &str) -> Result<(), Unusable> {
    if url.starts_with("turn:") || url.starts_with("turns:") {
        return Err(Unusable::Turn);
    }
    let server = url.strip_prefix("stun:").or_else(|| url.strip_prefix("stuns:"));
    let server: Authority = server.and_then(|server| server.parse().ok()).ok_or(Unusable::NotStun)?;
    let port = server.as_str().strip_prefix(server.host()).unwrap_or("@");
    let usable = !server.host().is_empty() && (port.is_empty() || server.port_u16().is_some_and(|port| port > 0));
    if usable { Ok(()) } else { Err(Unusable::NotStun) }
}

/// What peers are told. Cheap to clone.
#[derive(Clone)]
pub(crate) struct IceServers(Arc<RawValue>);

/// An entry of `iceServers`, as the W3C API has it.
#[derive(Serialize)]
struct IceServer<'a> {
    urls: [&'a str; 1],
}

impl IceServers {
    /// Those at these URLs.
    ///
    /// # Errors
    /// When JSON can't be made of them.
    pub(crate) fn new(urls: &[String]) -> Result<Self, serde_json::Error> {
        let servers: Vec<_> = urls.iter().map(|url| IceServer { urls: [url] }).collect();
        Ok(Self(to_raw_value(&servers)?.into()))
    }

    /// The JSON array for a peer that asks at `now`; nobody in particular asks where the name is not known. STUN servers
    /// are the same for everybody, credentials name who may use them and until when.
    pub(crate) fn for_peer(&self, _peer: Option<&PeerId>, _now: Timestamp) -> Arc<RawValue> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_stun_server() {
        for url in
            ["stun:stun.example.org", "stun:stun.example.org:3478", "stuns:192.0.2.1:5349", "stun:[2001:db8::1]:3478"]
        {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "stun:",
            "stun:h:",
            "stun:h:99999",
            "stun:h:0",
            "stun:u@h",
            "stun:h?transport=udp",
            "stun:h/x",
            "http://h",
            "stun::3478",
        ] {
            assert_eq!(check(url), Err(Unusable::NotStun), "{url}");
        }
        assert_eq!((check("turn:h"), check("turns:h:443")), (Err(Unusable::Turn), Err(Unusable::Turn)));
    }

    #[test]
    fn everybody_is_told_a_list_even_if_there_are_none() {
        let told =
            |urls: &[String]| IceServers::new(urls).unwrap().for_peer(None, Timestamp::UNIX_EPOCH).get().to_owned();
        assert_eq!(told(&[]), "[]");
        assert_eq!(told(&["stun:h".to_owned()]), r#"[{"urls":["stun:h"]}]"#);
    }
}
