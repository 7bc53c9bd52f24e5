//! grtc's server: rooms over WebSocket, an item store over HTTP, and a page.
//!
//! [`run`] is all of it: give it a listener, a [`Config`] and a future that resolves when it is to stop.
//!
//! ```text
//! http/    one file a resource                ws/     upgrade, one task a connection
//!   └─► store/  items and jobs in SQLite        └─► hub/  rooms: a pure state machine, bounded outboxes
//! jobs/    the background work on items
//! ```
//!
//! Arrows never turn back, `http` and `ws` don't know each other, and this file alone knows everybody.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Instant};

use anyhow::Context as _;
use grtc_protocol::{
    CloseCode,
    limits::{CLOSE_GRACE, KEPT_BYTES},
};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};
use tracing::{error, info, warn};

mod auth;
#[cfg(test)]
mod autobahn;
mod base_path;
mod budget;
pub mod cli;
mod client_address;
mod config;
mod connection_limit;
mod crypto;
mod duration;
mod error;
mod gate;
mod http;
mod hub;
mod ice;
mod jobs;
pub mod limits;
mod listen;
mod metrics;
mod new_file;
pub mod open_files;
mod origin;
mod parts;
mod public_address;
mod random;
pub mod relay;
mod request_id;
mod roots;
mod route;
mod scrape;
pub mod service_manager;
pub mod signals;
mod store;
pub mod telemetry;
mod traces;
pub mod transfer;
mod write_deadline;
mod ws;

pub use auth::{AuthConfig, JwksSource, TokenMaker};
pub use base_path::{BasePath, InvalidBasePath};
pub use client_address::{InvalidProxy, TrustedProxy};
pub use config::{
    Config, ConfigError, InvalidOtlpEndpoint, OtlpEndpoint, RelayConfig, TlsConfig, TlsError, WebhookConfig,
    WebhookError, WebhookUrl,
};
pub use ice::Unusable;
pub use listen::{certificate::CertificateError, listeners::Listeners};
pub use origin::{InvalidOrigin, Origin};
pub use parts::PartEnded;
pub use public_address::{InvalidPublicAddress, PublicAddress};

use auth::{Auth, Revocations, Revoked};
use budget::Budget;
use client_address::Proxies;
use gate::Gate;
use http::{doorkeeper::Doorkeeper, redirect::Redirect, serve::Server};
use hub::{
    caps::{Caps, Places},
    pool::Pool,
    registry::{Ban, Registry},
};
use ice::IceServers;
use jobs::{runner::Runner, webhook::Webhook, work::Work};
use limits::{Limit, limiter::Limiter};
use listen::{listeners::bind, source::Source};
use metrics::Metrics;
use scrape::Scrape;
use store::Store;
use traces::Traces;
use ws::upgrade::Sockets;

/// Serves on `listeners`, a `TcpListener` for one, until `shutdown` resolves, then ends in good order: nothing new is accepted, requests under way
/// are finished, WebSockets are closed with 1012, within ten seconds. Nobody looks at `shutdown` before everything serves.
///
/// # Errors
/// When the configuration can't be run or the database can't be opened, and a [`PartEnded`] when a part of the server ends
/// that it can't be without; it stops in good order then too.
#[allow(
    clippy::too_many_lines,
    reason = "every part is made and ended here, in one order that is read from top to bottom"
)]
pub async fn run(
    listeners: impl Into<Listeners>,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let config = config.check()?;
    let Listeners { main: listener, redirect, inherited, datagrams } = listeners.into();
    let address = listener.local_addr().context("the listener has no address")?;
    config.check_bind(address)?;
    let redirect = Listeners::redirecting(redirect, config.tls.redirect_listen).await?;
    let (tls, renewal) = Source::of(&config)?.map(Source::open).transpose()?.unzip();
    if redirect.is_some() && tls.is_none() {
        return Err(TlsError::Redirect.into());
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    let metrics = Arc::new(Metrics::new());
    let measured = match config.metrics_listen {
        Some(address) => Some(bind_metrics(address).await?),
        None => None,
    };
    let target = config.webhook.target().map_err(ConfigError::Webhook)?;
    let webhook = target.map(|target| Webhook::new(target, metrics.clone())).transpose().context("--webhook-url")?;
    let traces = config.otlp_endpoint.as_ref().map(Traces::new).transpose().context("--otlp-endpoint")?.map(Arc::new);
    let (store, writer) = Store::open(&config.database_url, metrics.commits.clone())
        .await
        .with_context(|| format!("can't use the database {}", config.database_url))?;
    let (relay, own) = match config.relay.turn {
        true => Some(relay::start::open(&config, address, datagrams, metrics.clone()).await?).unzip(),
        false => (None, None),
    };
    let ice = IceServers::new(&config.ice_server, own)?;
    let registry =
        Registry::new(ice.clone(), config.resume_grace, Pool::new(budget::or_a_quarter(KEPT_BYTES)), caps(&config));
    keep_out(&registry, &store).await?;
    let limiter = Arc::new(Limiter::new(&config.limits, metrics.clone()));
    let stop = CancellationToken::new();
    let sessions = TaskTracker::new();
    let budget = Budget::new();
    let auth = match config.auth.is_on() {
        true => Some(Auth::open(&config.auth, revocations(&store).await?).await?),
        false => None,
    };
    if let Some(auth) = auth.clone() {
        sessions.spawn(auth.keep(stop.clone()));
    }
    let sockets = Sockets {
        context: ws::Context {
            registry: registry.clone(),
            auth: auth.clone(),
            limits: config.limits,
            metrics: metrics.clone(),
            #[cfg(test)]
            echo: false,
        },
        limiter: limiter.clone(),
        tasks: sessions.clone(),
    };
    let context = http::Context {
        store: store.clone(),
        registry: registry.clone(),
        ice,
        web_dir: config.web_dir,
        keys: http::Keys::default(),
        budget: budget.clone(),
        metrics: metrics.clone(),
        auth: auth.clone(),
        stop: stop.clone(),
        started: Instant::now(),
    };
    // Who comes after the stop finds the next server where others hold the socket: whoever got in before is answered as ever.
    let refusing = if inherited { CancellationToken::new() } else { stop.clone() };
    let gate = Gate::new(config.allow_origin, address.ip().is_loopback(), refusing).over_tls(tls.is_some());
    let gate = gate.with_auth(auth, metrics.clone());
    let routes =
        http::routes(gate, limiter.clone(), config.base_path, &Arc::new(context), ws::upgrade::route(&sockets));
    let proxies = Proxies::new(config.trusted_proxy, config.proxy_protocol);
    let door = Doorkeeper::new(&config.limits, proxies, limiter.clone(), metrics.clone());
    let server = Server::new(routes, door, budget, tls, traces.clone(), stop.clone());
    // A server that drains without an end goes on with what is in its database.
    let end = CancellationToken::new();
    let mut jobs = tokio::spawn(Runner::new(store.clone(), Work::new(webhook)).run(end.clone()));
    info!(server.address = %address, "listening: open {scheme}://{address}");

    let _renewal = renewal.map(|renewal| AbortOnDropHandle::new(tokio::spawn(renewal)));
    let measuring = measured.map(|listener| {
        let scrape = Scrape::new(metrics.clone(), registry.clone(), server.clone(), store.clone());
        tokio::spawn(scrape.serve(listener, stop.clone()))
    });
    let mut rooms = tokio::spawn(registry.clone().keep());
    let mut counting = tokio::spawn(limiter.keep());
    let mut accepting = tokio::spawn({
        let server = server.clone();
        listen::accept(listener, move |wire, remote| server.start(wire, remote))
    });
    let mut relaying = relay.map(|relay| tokio::spawn(relay.run(stop.clone())));
    let _redirecting = redirect.map(|listener| {
        let redirect = Redirect::new(address.port(), stop.clone());
        AbortOnDropHandle::new(tokio::spawn(listen::accept(listener, move |wire, _| redirect.start(wire))))
    });
    let died = tokio::select! {
        () = shutdown => None,
        ended = parts::ended("the part that accepts connections", &mut accepting) => Some(ended),
        ended = parts::ended("the part that looks after the rooms", &mut rooms) => Some(ended),
        ended = parts::ended("the part that counts callers", &mut counting) => Some(ended),
        ended = parts::ended("the part that works on jobs", &mut jobs) => Some(ended),
        ended = parts::maybe_ended("the relay", &mut relaying) => Some(ended),
        part = store.ended() => Some(PartEnded::new(part, "its task is gone")),
    };
    drop(store);
    if let Some(part) = &died {
        error!(error = %part, "stopping");
    }
    if inherited {
        accepting.abort();
    }
    stop.cancel();
    end.cancel();
    registry.close(CloseCode::Restart);
    sessions.close();
    let drained = timeout(limits::DRAIN, async {
        tokio::join!(server.drained(), sessions.wait());
        if !jobs.is_finished() {
            let _ = jobs.await;
        }
    });
    // Data goes on for as long as anything may.
    let relayed = async {
        if let Some(mut relaying) = relaying {
            let _ = timeout(limits::DRAIN, &mut relaying).await;
            relaying.abort();
        }
    };
    let (drained, ()) = tokio::join!(drained, relayed);
    if drained.is_err() {
        warn!("some requests were not done in time");
    }
    accepting.abort();
    rooms.abort();
    counting.abort();
    if let Some(measuring) = measuring {
        measuring.abort();
    }
    if let Some(traces) = traces {
        traces.finish().await;
    }
    // A request that is still under way holds on to the writer, and is let down.
    if timeout(CLOSE_GRACE, writer.finish()).await.is_err() {
        warn!("the database was not closed");
    }
    info!("stopped");
    died.map_or(Ok(()), |part| Err(part.into()))
}

/// Which tokens are dead before their time.
async fn revocations(store: &Store) -> anyhow::Result<Revocations> {
    let known = store.revocations().await.context("what is revoked can't be read")?;
    Ok(Revocations::new(known.into_iter().filter_map(|(kind, name, at)| Some((Revoked::new(&kind, &name)?, at)))))
}

/// Keeps out who was banned before, until that is over.
async fn keep_out(registry: &Registry, store: &Store) -> anyhow::Result<()> {
    for ban in store.bans().await.context("who is banned can't be read")? {
        if let (Ok(room), Ok(peer)) = (ban.room.parse(), ban.peer.parse()) {
            registry.ban(room, Ban { peer, sub: ban.sub.map(Into::into), until: ban.until });
        }
    }
    Ok(())
}

/// The listener for Prometheus, which the log names.
async fn bind_metrics(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = bind(address, "--metrics-listen").await?;
    let address = listener.local_addr().context("the listener has no address")?;
    info!(metrics.address = %address, "metrics: http://{address}/metrics");
    Ok(listener)
}

/// How many rooms and peers there may be.
fn caps(config: &Config) -> Caps {
    Caps {
        rooms: config.limits.most(Limit::Rooms),
        room_peers: config.limits.most(Limit::RoomPeers),
        places: Places::new(config.limits.most(Limit::PeersPerSub)),
    }
}
