//! The relay as it is configured, and what clients are told of it.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use tracing::info;

use super::{
    credentials::Secret,
    table::{FIRST_PORT, Settings},
    udp::{Relay, relayed},
};
use crate::{config::Config, ice::Own, limits::Limit, metrics::Metrics, public_address::PublicAddress, random};

/// Takes the port of `listen` for datagrams. The secret is this process's own: what was told before a restart is of no use after it.
///
/// # Errors
/// When the port is somebody else's.
pub(crate) async fn open(config: &Config, listen: SocketAddr, metrics: Arc<Metrics>) -> anyhow::Result<(Relay, Own)> {
    let (limits, public) = (&config.limits, config.relay.public_address.clone());
    let secret = Secret::new(random::text().context("the system has no randomness")?.as_bytes());
    let rate = limits.rate(Limit::TurnRatePerPeer);
    let settings = Settings {
        secret: secret.clone(),
        relayed: relayed(listen.ip(), public.as_ref().and_then(PublicAddress::ip)),
        allocations: limits.most(Limit::TurnAllocations),
        allocations_per_user: limits.most(Limit::TurnAllocationsPerPeer),
        // The largest datagram has to be among those that may come at once.
        rate: rate.map(|rate| (rate.a_second, rate.burst.max(u16::MAX.into()))),
        first: fastrand::u16(..u16::MAX - FIRST_PORT),
    };
    let relay = Relay::open(listen, settings, metrics).await?;
    info!(relay.address = %listen, "relay: STUN and TURN by UDP");
    Ok((relay, Own { secret, public, listen }))
}
