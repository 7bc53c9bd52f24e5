//! What the server is told, validated once.

use std::{net::SocketAddr, path::PathBuf};

use hyper::http::uri::Authority;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    cli::{LogFormat, ServeArgs},
    http::access::Origin,
};

/// A configuration that can be run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The item store, as `sqlite://path?mode=rwc`.
    pub database_url: String,
    /// Origins that browsers may come from, besides the server's own.
    pub allow_origin: Vec<Origin>,
    /// What every newcomer is told for its `RTCPeerConnection`, as a JSON array.
    pub ice_servers: Box<RawValue>,
    /// Messages a second that one WebSocket client may send; 0: any number.
    pub message_rate: u32,
    /// Open connections at most.
    pub max_connections: usize,
    /// Serve the page from this folder instead of from the binary.
    pub web_dir: Option<PathBuf>,
    /// How to write the log.
    pub log_format: LogFormat,
}

/// Why a configuration can't be run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Anybody could come in.
    #[error(
        "--listen {0} can be reached from other machines, and grtc has no authentication yet: listen on 127.0.0.1 \
         behind a proxy that has, or say --insecure-open if anybody who reaches this port may use it"
    )]
    OpenBind(SocketAddr),
    /// Not a database that grtc can use.
    #[error("--database-url {0:?}: grtc stores items in SQLite, as in sqlite://grtc.db?mode=rwc or sqlite::memory:")]
    Database(String),
    /// The folder has no page.
    #[error("--web-dir {0:?}: there is no index.html in it")]
    WebDir(PathBuf),
    /// Not an ICE server.
    #[error("--ice-server {0:?}: it has to be like stun:stun.example.org:3478")]
    IceServer(String),
    /// Without credentials, browsers refuse a TURN server and all that is named beside it.
    #[error("--ice-server {0:?}: a TURN server takes credentials, and grtc-server has none to give out yet")]
    TurnServer(String),
}

/// An entry of `iceServers`, as the W3C API has it.
#[derive(Serialize)]
struct IceServer<'a> {
    urls: [&'a str; 1],
}

/// Whether this is the URL of a STUN server (RFC 7064).
fn is_stun(url: &str) -> bool {
    let server = url.strip_prefix("stun:").or_else(|| url.strip_prefix("stuns:"));
    server.and_then(|server| server.parse::<Authority>().ok()).is_some_and(|server| {
        let port = server.as_str().strip_prefix(server.host()).unwrap_or("@");
        !server.host().is_empty() && (port.is_empty() || server.port_u16().is_some_and(|port| port > 0))
    })
}

impl Config {
    /// Checks what the flags, the environment and the file say together.
    ///
    /// # Errors
    /// The first thing that can't be, with what to do about it.
    pub fn new(args: ServeArgs) -> Result<Self, ConfigError> {
        if !args.listen.ip().is_loopback() && !args.insecure_open {
            return Err(ConfigError::OpenBind(args.listen));
        }
        if !args.database_url.starts_with("sqlite:") {
            return Err(ConfigError::Database(args.database_url));
        }
        if let Some(dir) = args.web_dir.as_ref().filter(|dir| !dir.join("index.html").is_file()) {
            return Err(ConfigError::WebDir(dir.clone()));
        }
        if let Some(url) = args.ice_server.iter().find(|url| !is_stun(url)) {
            let is_turn = url.starts_with("turn:") || url.starts_with("turns:");
            return Err(if is_turn { ConfigError::TurnServer } else { ConfigError::IceServer }(url.clone()));
        }
        let servers: Vec<_> = args.ice_server.iter().map(|url| IceServer { urls: [url] }).collect();
        let ice_servers =
            serde_json::value::to_raw_value(&servers).map_err(|error| ConfigError::IceServer(error.to_string()))?;
        Ok(Self {
            listen: args.listen,
            database_url: args.database_url,
            allow_origin: args.allow_origin,
            ice_servers,
            message_rate: args.message_rate,
            max_connections: args.max_connections,
            web_dir: args.web_dir,
            log_format: args.log_format,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_stun;

    #[test]
    fn knows_a_stun_server() {
        for url in
            ["stun:stun.example.org", "stun:stun.example.org:3478", "stuns:192.0.2.1:5349", "stun:[2001:db8::1]:3478"]
        {
            assert!(is_stun(url), "{url}");
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
            "turn:h",
            "stun::3478",
        ] {
            assert!(!is_stun(url), "{url}");
        }
    }
}
