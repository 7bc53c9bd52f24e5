//! The relay as it is configured, and what clients are told of it.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use tokio::net::UdpSocket;
use tracing::info;

use super::{
    credentials::Secret,
    table::{FIRST_PORT, Settings},
    udp::{Relay, relayed},
};
use crate::{config::Config, ice::Own, limits::Limit, metrics::Metrics, public_address::PublicAddress, random};

/// Takes the port of `listen` for datagrams, unless it has been taken. The secret is this process's own: what was told before a restart is of no use after it.
///
/// # Errors
/// When the port is somebody else's.
pub(crate) async fn open(
    config: &Config,
    listen: SocketAddr,
    datagrams: Option<UdpSocket>,
    metrics: Arc<Metrics>,
) -> anyhow::Result<(Relay, Own)> {
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
    let socket = match datagrams {
        Some(socket) => socket,
        None => UdpSocket::bind(listen).await.with_context(|| {
            format!("can't take datagrams on {listen}, which --turn does: --listen takes another port")
        })?,
    };
    let relay = Relay::new(socket, settings, metrics)?;
    info!(relay.address = %listen, "relay: STUN and TURN by UDP");
    Ok((relay, Own { secret, public, listen }))
}
