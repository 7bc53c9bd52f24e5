//! Options that several commands have.

use std::{net::IpAddr, time::Duration};

use clap::Args;
use grtc_peer::{Config, IceServer, Network, RoomId, ServerUrl};

/// Where the server is, and how this machine is reached.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The room.
    pub(super) room: RoomId,

    /// The signaling server.
    #[arg(long, env = "GRTC_SERVER", value_name = "URL", default_value = "ws://127.0.0.1:8001")]
    pub(super) server: ServerUrl,

    /// A STUN or TURN server instead of those that the signaling server names, e.g. stun:host:3478 or
    /// turn:host:3478?transport=udp. Repeatable.
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

fn ice_url(text: &str) -> Result<String, String> {
    match ["stun:", "stuns:", "turn:", "turns:"]
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
    {
        true => Ok(text.to_owned()),
        false => Err("an ICE server begins with stun: or turn:".to_owned()),
    }
}

impl Options {
    /// What a peer joins with.
    pub(super) fn config(&self) -> Config {
        let mut network = Network::default();
        network.interfaces.clone_from(&self.interface);
        network.excluded.clone_from(&self.exclude);
        network.advertised.clone_from(&self.advertise_ip);
        network.relay_only = self.relay_only;
        network.no_mdns = self.no_mdns;
        let servers = match self.ice_server.is_empty() {
            true => Vec::new(),
            false => vec![IceServer {
                urls: self.ice_server.clone(),
                username: self.ice_username.clone(),
                credential: self.ice_credential.clone(),
            }],
        };
        Config::new(self.server.clone(), self.room.clone()).with_network(network).with_ice_servers(servers)
    }
}

/// Reads `500ms`, `30s`, `2m` or `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let form = || format!("{text:?} is not a duration such as 500ms, 30s, 2m or 1h");
    let number: u64 = number.parse().map_err(|_| form())?;
    let ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(form()),
    };
    number.checked_mul(ms).map(Duration::from_millis).filter(|duration| !duration.is_zero()).ok_or_else(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3_600)));
        for text in ["", "30", "s", "-1s", "1.5s", "0s", "9999999999999999999h", "1 s", "1d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
