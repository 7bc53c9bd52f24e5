//! Which server is measured, and what its clients need to get in.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use crate::{
    door::Door,
    process::{SERVER, binary},
    roots,
    tokens::Tokens,
};

/// Which server to measure.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ServerArgs {
    /// The server to start [default: grtc-server beside this executable]
    #[arg(long, global = true, value_name = "PATH", env = "GRTC_SERVER_BIN")]
    pub server_bin: Option<PathBuf>,
    /// One more argument for the server that is started (repeatable).
    #[arg(long, global = true, value_name = "ARG", allow_hyphen_values = true)]
    pub server_arg: Vec<OsString>,
    /// Measure this running server instead (needs --pid; start it with --message-rate 0).
    #[arg(long, global = true, value_name = "http://ADDRESS:PORT", value_parser = Url::parse)]
    pub url: Option<Url>,
    /// The process id of the running server (needs --url).
    #[arg(long, global = true)]
    pub pid: Option<u32>,
    /// Sign a token for each client with this key; a server that is started has it as well.
    #[arg(long, global = true, value_name = "FILE")]
    pub auth_secret_file: Option<PathBuf>,
    /// Show the token in this file, all clients the same.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "auth_secret_file")]
    pub token_file: Option<PathBuf>,
    /// Authorities (PEM) to believe instead of the system's. A server that is started is spoken to over TLS then.
    #[arg(long, global = true, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Keep the server that is started on the first CPU and the load on the second. The server then starts one worker.
    #[arg(long, global = true)]
    pub pin: bool,
}

/// Where a running server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The address.
    pub address: SocketAddr,
    /// It speaks TLS.
    pub tls: bool,
}

impl ServerArgs {
    /// The binary that is started, or the address of the running server.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.url {
            Some(Url { address, tls }) => format!("{}://{address}", if *tls { "https" } else { "http" }),
            None => self.binary().map(|path| path.display().to_string()).unwrap_or_default(),
        }
    }

    /// Whether a server is started, and none that runs already is measured.
    #[must_use]
    pub fn starts_one(&self) -> bool {
        self.url.is_none()
    }

    /// The server to start.
    ///
    /// # Errors
    /// When there is none.
    pub fn binary(&self) -> anyhow::Result<PathBuf> {
        self.server_bin.clone().map_or_else(|| binary(SERVER), Ok)
    }

    /// What a server that is started gets.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let key = self.auth_secret_file.iter().flat_map(|key| ["--auth-secret-file".into(), key.into()]);
        self.server_arg.iter().cloned().chain(key).collect()
    }

    /// The way in to a server at this address.
    ///
    /// # Errors
    /// When a file that was named can't be used.
    pub fn door(&self, address: SocketAddr, tls: bool) -> anyhow::Result<Door> {
        let tokens = match (&self.auth_secret_file, &self.token_file) {
            (Some(key), _) => Tokens::signed_with(key)?,
            (None, Some(token)) => Tokens::in_file(token)?,
            (None, None) => Tokens::None,
        };
        let tls = tls.then(|| roots::client(self.ca.as_deref())).transpose()?;
        Ok(Door::new(address, tls, tokens))
    }
}

impl Url {
    /// Load is for a server on this machine alone: its CPU time and memory could not be read anywhere else.
    fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let tls = match scheme {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err("it begins with http, https, ws or wss".to_owned()),
        };
        match rest.trim_end_matches('/').parse::<SocketAddr>() {
            Ok(address) if address.is_ipv4() && address.ip().is_loopback() => Ok(Self { address, tls }),
            _ => Err("an address of this machine, such as http://127.0.0.1:8001".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_nothing_but_this_machine() {
        assert!(Url::parse("http://127.0.0.1:8001/").is_ok());
        assert!(Url::parse("http://192.0.2.1:8001").is_err());
        assert!(Url::parse("http://example.org").is_err());
    }

    #[test]
    fn the_scheme_says_whether_there_is_tls() {
        let tls = |url| Url::parse(url).map(|url| url.tls);
        assert_eq!([tls("127.0.0.1:1"), tls("ws://127.0.0.1:1"), tls("http://127.0.0.1:1")], [const { Ok(false) }; 3]);
        assert_eq!([tls("wss://127.0.0.1:1/"), tls("https://127.0.0.1:1")], [const { Ok(true) }; 2]);
        assert!(tls("ftp://127.0.0.1:1").is_err());
    }

    #[test]
    fn a_server_that_is_started_gets_the_key() {
        let args = ServerArgs { auth_secret_file: Some("key".into()), ..ServerArgs::default() };
        assert_eq!(args.arguments(), ["--auth-secret-file", "key"]);
    }
}
