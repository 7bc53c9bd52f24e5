//! The options that the relay has, but for its limits.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, builder::BoolishValueParser};

use super::listen;
use crate::{config::RelayConfig, public_address::PublicAddress};

/// The relay, and how clients find it.
#[derive(Clone, Debug, Args)]
pub(super) struct RelayArgs {
    /// Be a STUN and TURN server too, by UDP, TCP and, where TLS is on, TLS, on the port of --listen: pairs of peers that find no direct way go through it, and
    /// it reaches nothing but peers of the same room
    #[arg(long, env = "GRTC_TURN", value_parser = BoolishValueParser::new())]
    turn: bool,
    /// Address and port for that instead of those of --listen, which speaks HTTP alone then
    #[arg(long, env = "GRTC_TURN_LISTEN", value_parser = listen::address, value_name = "ADDRESS")]
    turn_listen: Option<SocketAddr>,
    /// What clients are told that the relay is reached at, as relay.example.org or 203.0.113.7:8001; without it, the host that
    /// they have asked for
    #[arg(long, env = "GRTC_PUBLIC_ADDRESS", value_name = "HOST[:PORT]")]
    public_address: Option<PublicAddress>,
    /// The file with the secret that the TURN servers of --ice-server know (coturn: use-auth-secret and static-auth-secret): its
    /// bytes, without a final line feed. Clients are told credentials made with it
    #[arg(long, env = "GRTC_TURN_SECRET_FILE", value_name = "FILE")]
    turn_secret_file: Option<PathBuf>,
}

impl From<RelayArgs> for RelayConfig {
    fn from(args: RelayArgs) -> Self {
        let RelayArgs { turn, turn_listen, public_address, turn_secret_file } = args;
        Self { turn, turn_listen, public_address, turn_secret_file }
    }
}
