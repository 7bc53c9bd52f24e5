//! Options that several commands have.

use std::{fs, net::IpAddr, path::PathBuf, time::Duration};

use clap::Args;
use grtc_peer::{Config, IceServer, Network, RoomId, Roots, ServerUrl, TokenSource, UnusableIceServer};

use super::{exit::NotJoined, token};

/// Where the server is, and how this machine is reached.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The room.
    pub(super) room: RoomId,

    /// The signaling server; wss:// or https:// speaks TLS.
    #[arg(long, env = "GRTC_SERVER", value_name = "URL", default_value = "ws://127.0.0.1:8001")]
    pub(super) server: ServerUrl,

    /// Show the token in this file to a server that asks who comes; it is read again when it changes, so that the peer stays when
    /// its token ends. - is the first line of stdin. The variable GRTC_TOKEN has a token itself. There is no option for
    /// that, so that no token is in anybody's list of processes.
    #[arg(long, env = "GRTC_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Believe a server's certificate that one of the authorities in this file (PEM) vouches for, and none of the system's.
    #[arg(long, env = "GRTC_CA", value_name = "FILE", value_parser = roots)]
    ca: Option<Roots>,

    /// A STUN or TURN server instead of those that the signaling server names, e.g. stun:host:3478 or
    /// turn:host:3478?transport=udp. Repeatable. The variable is what this peer uses; grtc-server's of the same name is what
    /// its clients are told.
    #[arg(long, env = "GRTC_ICE_SERVER", value_name = "URL", value_delimiter = ',', value_parser = ice_url)]
    ice_server: Vec<String>,

    /// User name for TURN. The password is taken from the environment, GRTC_ICE_CREDENTIAL, so that it is in nobody's list
    /// of processes.
    #[arg(long, env = "GRTC_ICE_USERNAME", value_name = "NAME", default_value = "", hide_default_value = true)]
    ice_username: String,

    /// Password for TURN: from the environment, so that it is in nobody's list of processes.
    #[arg(long, env = "GRTC_ICE_CREDENTIAL", hide_env_values = true, default_value = "", hide = true)]
    ice_credential: String,

    /// Gather candidates on this network interface alone. Repeatable. Without it: on all usable ones, and on loopback
    /// when that is all there is.
    #[arg(long, value_name = "NAME")]
    interface: Vec<String>,

    /// Don't gather candidates on this network interface. Repeatable.
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,

    /// Advertise this address besides the own ones: that of a NAT which forwards its ports unchanged. Repeatable.
    #[arg(long, value_name = "IP")]
    advertise_ip: Vec<IpAddr>,

    /// Connect through a TURN server alone, so that nobody learns this machine's addresses.
    #[arg(long)]
    relay_only: bool,

    /// Don't look up the .local names by which browsers hide their addresses.
    #[arg(long)]
    no_mdns: bool,
}

fn roots(path: &str) -> Result<Roots, String> {
    let pem = fs::read(path).map_err(|error| format!("it can't be read: {error}"))?;
    Roots::from_pem(&pem).map_err(|error| error.to_string())
}

fn ice_url(text: &str) -> Result<String, UnusableIceServer> {
    IceServer::check_url(text).map(|()| text.to_owned())
}

impl Options {
    /// What no option by itself shows.
    pub(super) fn check(&self) -> Result<(), String> {
        self.ice_server().check().map_err(|reason| {
            format!(
                "--ice-server: {reason} (--ice-username NAME, and the password in the environment: GRTC_ICE_CREDENTIAL)"
            )
        })
    }

    fn ice_server(&self) -> IceServer {
        IceServer {
            urls: self.ice_server.clone(),
            username: self.ice_username.clone(),
            credential: self.ice_credential.clone(),
        }
    }

    /// What says who the peer is. It may wait for stdin.
    pub(super) async fn token(&self) -> Result<Option<TokenSource>, NotJoined> {
        token::source(self.token_file.as_deref()).await
    }

    /// What a peer joins with, but for its token.
    pub(super) fn config(&self) -> Config {
        let mut network = Network::default();
        network.interfaces.clone_from(&self.interface);
        network.excluded.clone_from(&self.exclude);
        network.advertised.clone_from(&self.advertise_ip);
        network.relay_only = self.relay_only;
        network.no_mdns = self.no_mdns;
        let servers = if self.ice_server.is_empty() { Vec::new() } else { vec![self.ice_server()] };
        let config = Config::new(self.server.clone(), self.room.clone());
        config.with_roots(self.ca.clone().unwrap_or_default()).with_network(network).with_ice_servers(servers)
    }
}

/// Reads a duration that is longer than nothing, such as `500ms`, `30s`, `1h 30m` or `PT30S`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|duration: jiff::SignedDuration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("{text:?} is not a duration such as 500ms, 30s, 2m or \"1h 30m\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1h 30m", 5_400_000),
            ("1.5s", 1_500),
            ("2 minutes", 120_000),
            ("PT30S", 30_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "30", "s", "-1s", "0s", "9999999999999999999h", "1d", "1y", "30s ago", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
