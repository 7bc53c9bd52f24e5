//! The ICE servers that a peer is told for its `RTCPeerConnection`.

use std::{net::SocketAddr, sync::Arc};

use grtc_protocol::{PeerId, RoomId};
use hyper::http::uri::Authority;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    auth::Bearer,
    public_address::PublicAddress,
    relay::credentials::{Credentials, Secret},
};

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
pub(crate) struct IceServers(Arc<Shared>);

struct Shared {
    urls: Vec<String>,
    /// What everybody is told who is nobody in particular, where there is no relay.
    fixed: Arc<RawValue>,
    own: Option<Own>,
}

/// The relay of this server.
pub(crate) struct Own {
    pub(crate) secret: Secret,
    pub(crate) public: Option<PublicAddress>,
    pub(crate) listen: SocketAddr,
    /// It speaks TLS too.
    pub(crate) has_tls: bool,
    /// Its port is not the one that clients ask.
    pub(crate) is_elsewhere: bool,
}

/// Who is told: credentials name who may use them, and in which room.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) room: &'a RoomId,
    pub(crate) peer: &'a PeerId,
    pub(crate) bearer: &'a Bearer,
}

/// An entry of `iceServers`, as the W3C API has it.
#[derive(Serialize)]
struct IceServer {
    urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

impl IceServer {
    fn open(url: impl Into<String>) -> Self {
        Self { urls: vec![url.into()], username: None, credential: None }
    }
}

impl IceServers {
    /// Those at these URLs, and the server's own.
    ///
    /// # Errors
    /// When JSON can't be made of them.
    pub(crate) fn new(urls: &[String], own: Option<Own>) -> Result<Self, serde_json::Error> {
        let servers: Vec<_> = urls.iter().map(IceServer::open).collect();
        Ok(Self(Arc::new(Shared { urls: urls.to_vec(), fixed: to_raw_value(&servers)?.into(), own })))
    }

    /// The JSON array for somebody who has asked `host` at `now`. Credentials are for who says in which room it is.
    pub(crate) fn told(&self, asker: Option<Asker<'_>>, host: Option<&str>, now: Timestamp) -> Arc<RawValue> {
        let Shared { urls, fixed, own } = &*self.0;
        let Some(own) = own else { return fixed.clone() };
        let servers: Vec<_> = urls.iter().map(IceServer::open).chain(own.told(asker, host, now)).collect();
        to_raw_value(&servers).map_or_else(|_| fixed.clone(), Into::into)
    }

    /// Whether what is told is for whoever asks alone, and for a while.
    pub(crate) fn are_personal(&self) -> bool {
        self.0.own.is_some()
    }
}

impl Own {
    fn told(&self, asker: Option<Asker<'_>>, host: Option<&str>, now: Timestamp) -> Vec<IceServer> {
        let address = self.address(host);
        let mut servers = vec![IceServer::open(format!("stun:{address}"))];
        if let Some(Asker { room, peer, bearer }) = asker {
            let who = bearer.as_ref().and_then(|caller| caller.sub.as_deref()).unwrap_or(peer.as_str());
            let now = u64::try_from(now.as_second()).unwrap_or_default();
            let Credentials { username, credential } = self.secret.issue(room.as_str(), who, now);
            let mut urls = ["udp", "tcp"].map(|transport| format!("turn:{address}?transport={transport}")).to_vec();
            if self.has_tls {
                urls.push(format!("turns:{address}?transport=tcp"));
            }
            servers.push(IceServer { urls, username: Some(username), credential: Some(credential) });
        }
        servers
    }

    /// Where somebody finds it who has asked `host`.
    fn address(&self, host: Option<&str>) -> String {
        let asked = host.and_then(|host| host.parse::<PublicAddress>().ok());
        match (&self.public, asked) {
            (Some(public), _) => public.with_port(self.listen.port()),
            (None, Some(asked)) if self.is_elsewhere => asked.at_port(self.listen.port()),
            (None, Some(asked)) => asked.with_port(self.listen.port()),
            (None, None) => self.listen.to_string(),
        }
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
        let told = |urls: &[String]| {
            let servers = IceServers::new(urls, None).unwrap();
            servers.told(None, Some("h"), Timestamp::UNIX_EPOCH).get().to_owned()
        };
        assert_eq!(told(&[]), "[]");
        assert_eq!(told(&["stun:h".to_owned()]), r#"[{"urls":["stun:h"]}]"#);
    }

    #[test]
    fn the_relay_is_where_clients_find_the_server() {
        let told = |public: Option<&str>, host: Option<&str>, is_elsewhere| {
            let public = public.map(|public| public.parse().unwrap());
            let (secret, listen) = (Secret::new(b"secret"), "127.0.0.1:8001".parse().unwrap());
            let own = Own { secret, public, listen, has_tls: host.is_some(), is_elsewhere };
            let (room, peer, bearer) = ("r".parse().unwrap(), "a".parse().unwrap(), None);
            let asker = Asker { room: &room, peer: &peer, bearer: &bearer };
            let servers = IceServers::new(&["stun:h".to_owned()], Some(own)).unwrap();
            let open = servers.told(None, host, Timestamp::UNIX_EPOCH);
            assert!(!open.get().contains("turn:") && open.get().contains("stun:h"), "{}", open.get());
            let servers = servers.told(Some(asker), host, Timestamp::UNIX_EPOCH);
            serde_json::from_str::<serde_json::Value>(servers.get()).unwrap()
        };
        for (public, host, is_elsewhere, address) in [
            (None, Some("example.org:9000"), false, "example.org:9000"),
            (None, Some("example.org:9000"), true, "example.org:8001"),
            (None, Some("[::1]"), false, "[::1]:8001"),
            (None, None, false, "127.0.0.1:8001"),
            (Some("relay.example.org"), Some("example.org"), false, "relay.example.org:8001"),
            (Some("relay.example.org:443"), Some("example.org"), true, "relay.example.org:443"),
        ] {
            let servers = told(public, host, is_elsewhere);
            assert_eq!(servers[1]["urls"], serde_json::json!([format!("stun:{address}")]));
            let [udp, tcp] = ["udp", "tcp"].map(|transport| format!("turn:{address}?transport={transport}"));
            let tls = host.map(|_| format!("turns:{address}?transport=tcp"));
            let urls: Vec<_> = [udp, tcp].into_iter().chain(tls).collect();
            assert_eq!(servers[2]["urls"], serde_json::json!(urls));
            let name = servers[2]["username"].as_str().unwrap();
            assert!(name.starts_with("600:") && name.ends_with(":a"), "{name}");
        }
    }
}
