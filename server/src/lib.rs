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

use std::{future::Future, sync::Arc, time::Instant};

use anyhow::Context as _;
use grtc_protocol::{CloseCode, limits};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

pub mod cli;
mod config;
mod connection_limit;
mod error;
mod http;
mod hub;
mod jobs;
mod listen;
pub mod signals;
mod store;
pub mod telemetry;
mod ws;

pub use config::{Config, ConfigError};
pub use http::access::{InvalidOrigin, Origin};

use http::{access::Access, serve::Server};
use hub::registry::Registry;
use store::Store;
use ws::upgrade::Sockets;

/// What the routes need.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) config: Arc<Config>,
    pub(crate) registry: Registry,
    pub(crate) sockets: Sockets,
    pub(crate) store: Store,
    /// The idempotency keys of requests that are under way.
    pub(crate) keys: http::Keys,
    pub(crate) stop: CancellationToken,
    pub(crate) started: Instant,
}

/// Serves on `listener` until `shutdown` resolves, then ends in good order: nothing new is accepted, requests under way
/// are finished, WebSockets are closed with 1001, within ten seconds.
///
/// # Errors
/// When the database can't be opened.
pub async fn run(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    let (store, writer) = Store::open(&config.database_url)
        .await
        .with_context(|| format!("can't use the database {}", config.database_url))?;
    let ice_servers = Some(config.ice_servers.clone()).filter(|servers| servers.get() != "[]");
    let registry = Registry::new(ice_servers);
    let stop = CancellationToken::new();
    let sessions = TaskTracker::new();
    let context = ws::Context { registry: registry.clone(), message_rate: config.message_rate };
    let app = App {
        config: Arc::new(config),
        registry: registry.clone(),
        sockets: Sockets { context, tasks: sessions.clone() },
        store: store.clone(),
        keys: http::Keys::default(),
        stop: stop.clone(),
        started: Instant::now(),
    };
    let access = Access::new(app.config.allow_origin.clone(), address.ip().is_loopback());
    let server = Server::new(http::routes(&app), access, app.config.max_connections, stop.clone());
    drop(app);
    jobs::runner::requeue(&store).await.context("jobs that the last run left can't be taken up")?;
    let jobs = tokio::spawn(jobs::runner::run(store, jobs::digest::digest, stop.clone()));
    info!(server.address = %address, "listening: open http://{address}");

    let accepting = tokio::spawn({
        let server = server.clone();
        listen::accept(listener, move |wire, remote| server.start(wire, remote))
    });
    shutdown.await;
    stop.cancel();
    registry.close(CloseCode::GoingAway);
    sessions.close();
    let drained = timeout(limits::DRAIN, async {
        tokio::join!(server.drained(), sessions.wait());
        jobs.await.context("jobs")
    });
    match drained.await {
        Ok(result) => result?,
        Err(_) => warn!("some requests were not done in time"),
    }
    accepting.abort();
    // A request that is still under way holds on to the writer, and is let down.
    if timeout(limits::CLOSE_GRACE, writer.finish()).await.is_err() {
        warn!("the database was not closed");
    }
    info!("stopped");
    Ok(())
}
