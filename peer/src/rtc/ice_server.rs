//! STUN and TURN servers: one that can't be used is told from those that can, so that it spoils none of them.

use rtc::peer_connection::transport::RTCIceServer;

/// A STUN or TURN server.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:` or `turn:` URLs (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// For TURN.
    pub username: String,
    /// For TURN. Never printed.
    pub credential: String,
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Why a URL of an ICE server can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableIceServer {
    /// Another scheme, or none.
    #[error("an ICE server begins with stun: or turn:, write it like stun:host:3478 or turn:host:3478")]
    Scheme,
    /// Nothing that names a machine.
    #[error("it names no host: write it like stun:host:3478 or turn:host:3478, and an IPv6 address in brackets")]
    Host,
    /// No number from 1 to 65535.
    #[error("its port is no number from 1 to 65535: write it like host:3478, or without one for 3478")]
    Port,
    /// A parameter where none may be, or an unknown one.
    #[error("a stun: URL has no parameter, and a turn: URL none but ?transport=: leave out what begins with the ?")]
    Parameter,
    /// What this version can't do.
    #[error("only stun: and turn: over UDP can be used: write it like turn:host:3478?transport=udp")]
    Transport,
    /// TURN needs both.
    #[error("a TURN server needs a user name and a password")]
    Credentials,
}

impl IceServer {
    /// The same with the URLs that can be used, if any, and those that can't with the reason.
    pub(crate) fn usable(self) -> (Option<Self>, Vec<(String, UnusableIceServer)>) {
        let (mut usable, mut left_out) = (Vec::new(), Vec::new());
        for url in &self.urls {
            match self.check_own(url) {
                Ok(()) => usable.push(url.clone()),
                Err(reason) => left_out.push((url.clone(), reason)),
            }
        }
        ((!usable.is_empty()).then_some(Self { urls: usable, ..self }), left_out)
    }

    /// Whether all of its URLs can be used.
    ///
    /// # Errors
    /// When one can't: the reason.
    pub fn check(&self) -> Result<(), UnusableIceServer> {
        self.urls.iter().try_for_each(|url| self.check_own(url))
    }

    fn check_own(&self, url: &str) -> Result<(), UnusableIceServer> {
        Self::check_url(url)?;
        let lacks = self.username.is_empty() || self.credential.is_empty();
        if is_turn(url) && lacks { Err(UnusableIceServer::Credentials) } else { Ok(()) }
    }

    /// Whether this URL can be used, given credentials where it needs them.
    ///
    /// # Errors
    /// When it can't: the reason.
    pub fn check_url(url: &str) -> Result<(), UnusableIceServer> {
        let (scheme, rest) = url.split_once(':').ok_or(UnusableIceServer::Scheme)?;
        let (address, parameter) = rest.split_once('?').map_or((rest, None), |(address, it)| (address, Some(it)));
        match (scheme.to_ascii_lowercase().as_str(), parameter) {
            ("stun", None) | ("turn", None | Some("transport=udp")) => {}
            ("stuns", None)
            | ("turns", None | Some("transport=udp" | "transport=tcp"))
            | ("turn", Some("transport=tcp")) => {
                return Err(UnusableIceServer::Transport);
            }
            ("stun" | "stuns" | "turn" | "turns", Some(_)) => return Err(UnusableIceServer::Parameter),
            _ => return Err(UnusableIceServer::Scheme),
        }
        check_address(address)?;
        // The library has the last word.
        let server = RTCIceServer { urls: vec![url.to_owned()], username: "u".to_owned(), credential: "c".to_owned() };
        server.urls().map(|_| ()).map_err(|_| UnusableIceServer::Host)
    }
}

/// Whether it is a relay.
pub(crate) fn is_turn(url: &str) -> bool {
    url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("turn:"))
}

/// `host`, `host:port`, `[address]` or `[address]:port`.
fn check_address(address: &str) -> Result<(), UnusableIceServer> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(UnusableIceServer::Host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| UnusableIceServer::Host)?;
            (host, (!after.is_empty()).then_some(after))
        }
        None => match address.find(':') {
            Some(place) => (&address[..place], Some(&address[place..])),
            None => (address, None),
        },
    };
    let is_name = host.contains(':') || host.chars().all(|c| c.is_alphanumeric() || ".-_".contains(c));
    if host.is_empty() || host.len() > 253 || !is_name {
        return Err(UnusableIceServer::Host);
    }
    let is_port = |port: &str| {
        port.strip_prefix(':').is_some_and(|digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port != 0)
        })
    };
    match port {
        Some(port) if port.matches(':').count() > 1 => Err(UnusableIceServer::Host),
        Some(port) if !is_port(port) => Err(UnusableIceServer::Port),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_can_be_used_are_taken() {
        for url in [
            "stun:stun.example.org",
            "stun:192.0.2.1:3478",
            "STUN:host:1",
            "stun:[2001:db8::1]",
            "stun:[2001:db8::1]:65535",
            "turn:host",
            "turn:host:3478?transport=udp",
        ] {
            assert_eq!(IceServer::check_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn urls_that_can_not_be_used_are_named() {
        use UnusableIceServer::{Host, Parameter, Port, Scheme, Transport};
        for (url, reason) in [
            ("", Scheme),
            ("host", Scheme),
            ("http://host", Scheme),
            ("host:3478", Scheme),
            ("stun", Scheme),
            ("stun:", Host),
            ("stun://host", Host),
            ("stun:user@host", Host),
            ("stun:a b", Host),
            ("stun:2001:db8::1", Host),
            ("stun:[2001:db8::1", Host),
            ("stun:[nope]:1", Host),
            ("turn:?transport=udp", Host),
            ("stun:host:", Port),
            ("stun:host:0", Port),
            ("stun:host:65536", Port),
            ("turn:host:port", Port),
            ("stun:[::1]x", Port),
            ("stun:host:+1", Port),
            ("stun:host?transport=udp", Parameter),
            ("turn:host?transport=sctp", Parameter),
            ("turn:host?", Parameter),
            ("turn:host?transport=udp&x=1", Parameter),
            ("stuns:host", Transport),
            ("turns:host:5349", Transport),
            ("turn:host?transport=tcp", Transport),
        ] {
            assert_eq!(IceServer::check_url(url), Err(reason), "{url}");
        }
    }

    #[test]
    fn what_can_be_used_stays() {
        use UnusableIceServer::{Credentials, Port, Scheme};
        let urls = ["stun:a", "turn:b", "bad:c", "stun:d:x"].map(str::to_owned).to_vec();
        let server = IceServer { urls, username: String::new(), credential: String::new() };
        let (usable, left_out) = server.clone().usable();
        assert_eq!(usable.unwrap().urls, ["stun:a"]);
        let reasons: Vec<_> = left_out.into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(reasons, [Credentials, Scheme, Port]);
        assert_eq!(server.check(), Err(Credentials));
        let (usable, _) = IceServer { username: "u".to_owned(), credential: "c".to_owned(), ..server }.usable();
        assert_eq!(usable.unwrap().urls, ["stun:a", "turn:b"]);
        let none = IceServer { urls: vec!["x".to_owned()], username: String::new(), credential: String::new() };
        assert_eq!(none.usable().0, None);
    }
}
