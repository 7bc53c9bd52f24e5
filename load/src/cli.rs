//! The command line of `grtc-load`.

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::{
    broadcast, compare, crowd, idle, items, joins, others, relay, resume, server_args::ServerArgs, window::Plan,
};

/// Measures what grtc-server needs for its work: CPU per message, joins, memory per socket, returns after a break, the item store.
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
    /// Sockets that drop and come back at once: how long until all are back, with nothing missed and with much; or after the server was killed.
    Resume(resume::Shape),
    /// A room of many in which somebody speaks steadily: whether all of it arrives in order, and how late.
    Crowd(crowd::Shape),
    /// A healthy pair beside slow readers, a flooded room, and a client that pings without end: how much later its messages are.
    Others(others::Shape),
    /// The same server without keys and limits, with both, and over TLS too: server CPU per message and per join.
    Compare(compare::Shape),
    /// The item store over HTTP: requests a second.
    Items(items::Shape),
}

impl What {
    /// Whether it starts its servers itself, or kills one: a running server is not measured so.
    #[must_use]
    pub fn needs_own_server(&self) -> bool {
        match self {
            Self::Compare(_) => true,
            Self::Idle(shape) => shape.compare,
            Self::Resume(shape) => shape.killed,
            _ => false,
        }
    }

    /// The name of the subcommand.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Relay(_) => "relay",
            Self::Broadcast(_) => "broadcast",
            Self::Joins(_) => "joins",
            Self::Idle(_) => "idle",
            Self::Resume(_) => "resume",
            Self::Crowd(_) => "crowd",
            Self::Others(_) => "others",
            Self::Compare(_) => "compare",
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
