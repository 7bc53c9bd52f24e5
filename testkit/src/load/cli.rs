//! The command line of `grtc-load`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

use super::{broadcast, idle, items, joins, relay, window::Plan};

/// Measures what grtc-server needs for its work: CPU per message, joins, memory per socket, the item store.
///
/// Prints one JSON object on stdout (figures, targets, and whether they are met) and a line for each measurement on
/// stderr. By default it starts a server of its own on a free port with an empty SQLite database.
///
/// Exit code 0: all was measured, whether or not the targets are met. 1: something could not be measured.
#[derive(Debug, Parser)]
#[command(name = "grtc-load", version)]
pub struct Args {
    /// What to measure.
    #[command(subcommand)]
    pub what: What,
    /// Which server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Seconds of each measurement.
    #[arg(long, global = true, default_value_t = 3.0, value_parser = seconds)]
    pub seconds: f64,
    /// Seconds of load before each measurement.
    #[arg(long, global = true, default_value_t = 1.0, value_parser = seconds)]
    pub warm_up: f64,
}

/// Which server to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerArgs {
    /// The server to start [default: grtc-server beside this executable]
    #[arg(long, global = true, value_name = "PATH", env = "GRTC_SERVER_BIN")]
    pub server_bin: Option<PathBuf>,
    /// One more argument for the server that is started (repeatable).
    #[arg(long, global = true, value_name = "ARG", allow_hyphen_values = true)]
    pub server_arg: Vec<String>,
    /// Measure this running server instead (needs --pid; start it with --message-rate 0).
    #[arg(long, global = true, value_name = "http://ADDRESS:PORT", value_parser = address)]
    pub url: Option<SocketAddr>,
    /// The process id of the running server (needs --url).
    #[arg(long, global = true)]
    pub pid: Option<u32>,
    /// Keep the server that is started on the first CPU and the load on the second. The server then starts one worker.
    #[arg(long, global = true)]
    pub pin: bool,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Everything below, each with a server of its own.
    All,
    /// Signals between pairs of peers: server CPU per message, one and sixteen under way in each pair.
    Relay(relay::Shape),
    /// Broadcasts in one large room: server CPU per delivery.
    Broadcast(broadcast::Shape),
    /// Connect, upgrade, `room_state`, close: joins a second.
    Joins(joins::Shape),
    /// Resident memory of the server per idle socket.
    Idle(idle::Shape),
    /// The item store over HTTP: requests a second.
    Items(items::Shape),
}

impl What {
    /// The name of the subcommand.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Relay(_) => "relay",
            Self::Broadcast(_) => "broadcast",
            Self::Joins(_) => "joins",
            Self::Idle(_) => "idle",
            Self::Items(_) => "items",
        }
    }
}

impl Args {
    /// How long to warm up and to measure.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan { warm_up: Duration::from_secs_f64(self.warm_up), length: Duration::from_secs_f64(self.seconds) }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.1 to 600".to_owned()),
    }
}

/// Load is for a server on this machine alone: its CPU time and memory could not be read anywhere else.
fn address(url: &str) -> Result<SocketAddr, String> {
    let address = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    match address.parse::<SocketAddr>() {
        Ok(address) if address.is_ipv4() && address.ip().is_loopback() => Ok(address),
        _ => Err("an address of this machine, such as http://127.0.0.1:8001".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn loads_nothing_but_this_machine() {
        assert!(address("http://127.0.0.1:8001/").is_ok());
        assert!(address("http://192.0.2.1:8001").is_err());
        assert!(address("http://example.org").is_err());
    }
}
