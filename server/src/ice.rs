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
    /// Not a URL of RFC 7065.
    #[error("it has to be like turn:turn.example.org:3478?transport=udp")]
    NotTurn,
    /// Without credentials, browsers refuse a TURN server and all that is named beside it.
    #[error(
        "a TURN server takes credentials: --turn-secret-file FILE has the secret that it knows (coturn's static-auth-secret)"
    )]
    Turn,
}

/// Whether this is the URL of a TURN server.
pub(crate) fn is_turn(url: &str) -> bool {
    url.starts_with("turn:") || url.starts_with("turns:")
}

/// Whether clients can be told this URL: that of a STUN server (RFC 7064), or, where there is a secret for credentials, of a TURN
/// server (RFC 7065).
///
/// # Errors
/// Why not.
pub(crate) fn check(url: &str, has_secret: bool) -> Result<(), Unusable> {
    let (_, server) = url.split_once(':').ok_or(Unusable::NotStun)?;
    if is_turn(url) {
        let server =
            ["udp", "tcp"].iter().find_map(|by| server.strip_suffix(&format!("?transport={by}"))).unwrap_or(server);
        is_server(server).then_some(()).ok_or(Unusable::NotTurn)?;
        return if has_secret { Ok(()) } else { Err(Unusable::Turn) };
    }
    let is_stun = url.starts_with("stun:") || url.starts_with("stuns:");
    if is_stun && is_server(server) { Ok(()) } else { Err(Unusable::NotStun) }
}

/// Whether this is a host, and maybe a port.
fn is_server(text: &str) -> bool {
    let Ok(server) = text.parse::<Authority>() else { return false };
    let port = server.as_str().strip_prefix(server.host()).unwrap_or("@");
    !server.host().is_empty() && (port.is_empty() || server.port_u16().is_some_and(|port| port > 0))
}

/// What peers are told. Cheap to clone.
#[derive(Clone)]
pub(crate) struct IceServers(Arc<Shared>);

struct Shared {
    urls: Vec<String>,
    /// What everybody is told who is nobody in particular, where there is no relay.
    fixed: Arc<RawValue>,
    own: Option<Own>,
    external: Option<External>,
}

/// TURN servers elsewhere, and the secret that they know.
struct External {
    urls: Vec<String>,
    secret: Secret,
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

impl Asker<'_> {
    /// Credentials for who asks at `now`.
    fn credentials(self, secret: &Secret, now: Timestamp) -> Credentials {
        let who = self.bearer.as_ref().and_then(|caller| caller.sub.as_deref()).unwrap_or(self.peer.as_str());
        secret.issue(self.room.as_str(), who, u64::try_from(now.as_second()).unwrap_or_default())
    }
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

    fn closed(urls: Vec<String>, Credentials { username, credential }: Credentials) -> Self {
        Self { urls, username: Some(username), credential: Some(credential) }
    }
}

impl IceServers {
    /// Those at these URLs, and the server's own. TURN servers know the secret; without one, nobody is told of them.
    ///
    /// # Errors
    /// When JSON can't be made of them.
    pub(crate) fn new(urls: &[String], own: Option<Own>, secret: Option<Secret>) -> Result<Self, serde_json::Error> {
        let (turn, urls): (Vec<String>, Vec<String>) = urls.iter().cloned().partition(|url| is_turn(url));
        let external = secret.map(|secret| External { urls: turn, secret });
        let servers: Vec<_> = urls.iter().map(IceServer::open).collect();
        Ok(Self(Arc::new(Shared { fixed: to_raw_value(&servers)?.into(), urls, own, external })))
    }

    /// The JSON array for somebody who has asked `host` at `now`. Credentials are for who says in which room it is.
    pub(crate) fn told(&self, asker: Option<Asker<'_>>, host: Option<&str>, now: Timestamp) -> Arc<RawValue> {
        let Shared { urls, fixed, own, external } = &*self.0;
        if !self.are_personal() {
            return fixed.clone();
        }
        let own = own.iter().flat_map(|own| own.told(asker, host, now));
        let external = asker
            .zip(external.as_ref())
            .map(|(asker, External { urls, secret })| IceServer::closed(urls.clone(), asker.credentials(secret, now)));
        let servers: Vec<_> = urls.iter().map(IceServer::open).chain(own).chain(external).collect();
        to_raw_value(&servers).map_or_else(|_| fixed.clone(), Into::into)
    }

    /// Whether what is told is for whoever asks alone, and for a while.
    pub(crate) fn are_personal(&self) -> bool {
        self.0.own.is_some() || self.0.external.is_some()
    }
}

impl Own {
    fn told(&self, asker: Option<Asker<'_>>, host: Option<&str>, now: Timestamp) -> Vec<IceServer> {
        let address = self.address(host);
        let mut servers = vec![IceServer::open(format!("stun:{address}"))];
        if let Some(asker) = asker {
            let mut urls = ["udp", "tcp"].map(|transport| format!("turn:{address}?transport={transport}")).to_vec();
            if self.has_tls {
                urls.push(format!("turns:{address}?transport=tcp"));
            }
            servers.push(IceServer::closed(urls, asker.credentials(&self.secret, now)));
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
            assert_eq!(check(url, false), Ok(()), "{url}");
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
            assert_eq!(check(url, true), Err(Unusable::NotStun), "{url}");
        }
    }

    #[test]
    fn knows_a_turn_server() {
        for url in ["turn:h", "turns:h:443", "turn:h:3478?transport=udp", "turns:[2001:db8::1]?transport=tcp"] {
            assert_eq!((check(url, true), check(url, false)), (Ok(()), Err(Unusable::Turn)), "{url}");
        }
        for url in ["turn:", "turn:h:0", "turn:h?transport=sctp", "turn:?transport=udp", "turn:u@h", "turns:h/x"] {
            assert_eq!(check(url, true), Err(Unusable::NotTurn), "{url}");
        }
    }

    #[test]
    fn turn_servers_elsewhere_are_told_with_credentials_to_who_may_use_them() {
        let urls = ["turn:h?transport=udp", "stun:s", "turns:h"].map(str::to_owned);
        let servers = IceServers::new(&urls, None, Some(Secret::new(b"north"))).unwrap();
        let (room, peer, bearer) = ("r".parse().unwrap(), "a".parse().unwrap(), None);
        let asker = Asker { room: &room, peer: &peer, bearer: &bearer };
        assert_eq!(servers.told(None, None, Timestamp::UNIX_EPOCH).get(), r#"[{"urls":["stun:s"]}]"#);
        let told = servers.told(Some(asker), None, Timestamp::UNIX_EPOCH);
        let told: serde_json::Value = serde_json::from_str(told.get()).unwrap();
        let Credentials { username, credential } = Secret::new(b"north").issue("r", "a", 0);
        let turn = serde_json::json!({"urls": [urls[0], urls[2]], "username": username, "credential": credential});
        assert_eq!(told, serde_json::json!([{"urls": ["stun:s"]}, turn]));
    }

    #[test]
    fn everybody_is_told_a_list_even_if_there_are_none() {
        let told = |urls: &[String]| {
            let servers = IceServers::new(urls, None, None).unwrap();
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
            let servers = IceServers::new(&["stun:h".to_owned()], Some(own), None).unwrap();
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
