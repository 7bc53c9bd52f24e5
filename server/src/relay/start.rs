//! The relay as it is configured, and what clients are told of it.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use tokio::net::TcpListener;
use tracing::info;

use super::{
    credentials::Secret,
    exchange::Exchange,
    relayed::relayed,
    socket::Socket,
    table::{FIRST_PORT, Settings, Table},
};
use crate::{
    config::Config,
    ice::Own,
    limits::{Limit, Values},
    listen::{Takes, listeners::bind},
    metrics::Metrics,
    public_address::PublicAddress,
    random,
};

/// A relay that is about to begin.
pub(crate) struct Opened {
    pub(crate) exchange: Arc<Exchange>,
    /// What clients are told.
    pub(crate) own: Own,
    /// The place of its own that it has for streams.
    pub(crate) elsewhere: Option<TcpListener>,
}

/// Takes the port of `listen`, or that of `--turn-listen`, for datagrams. The secret is this process's own: what was told
/// before a restart is of no use after it.
///
/// # Errors
/// When the port is somebody else's.
pub(crate) async fn open(
    config: &Config,
    listen: SocketAddr,
    has_tls: bool,
    metrics: Arc<Metrics>,
) -> anyhow::Result<Opened> {
    let public = config.relay.public_address.clone();
    let elsewhere = match config.relay.turn_listen {
        Some(address) => Some(bind(address, "--turn-listen").await?),
        None => None,
    };
    let listen = match &elsewhere {
        Some(listener) => listener.local_addr().context("the relay's listener has no address")?,
        None => listen,
    };
    let secret = Secret::new(random::text().context("the system has no randomness")?.as_bytes());
    let settings = settings(&config.limits, secret.clone(), listen, public.as_ref());
    let streams = settings.allocations;
    let exchange = Exchange::new(Table::new(settings), Socket::open(listen).await?, streams, metrics);
    info!(relay.address = %listen, "relay: STUN and TURN by UDP and TCP");
    let own = Own { secret, public, listen, has_tls, is_elsewhere: elsewhere.is_some() };
    Ok(Opened { exchange, own, elsewhere })
}

impl Opened {
    /// What the server's main listener takes.
    pub(crate) fn at_listen(&self) -> Takes {
        if self.elsewhere.is_some() { Takes::Http } else { Takes::All }
    }
}

fn settings(limits: &Values, secret: Secret, listen: SocketAddr, public: Option<&PublicAddress>) -> Settings {
    Settings {
        secret,
        relayed: relayed(listen.ip(), public.and_then(PublicAddress::ip)),
        allocations: limits.most(Limit::TurnAllocations),
        allocations_per_user: limits.most(Limit::TurnAllocationsPerPeer),
        // The largest datagram has to be among those that may come at once.
        rate: limits.rate(Limit::TurnRatePerPeer).map(|rate| (rate.a_second, rate.burst.max(u16::MAX.into()))),
        first: fastrand::u16(..u16::MAX - FIRST_PORT),
    }
}
