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
use tracing::{error, info, warn};

#[cfg(test)]
mod autobahn;
pub mod cli;
mod config;
mod connection_limit;
mod error;
mod http;
mod hub;
mod jobs;
mod listen;
mod parts;
mod request_id;
pub mod signals;
mod store;
pub mod telemetry;
mod write_deadline;
mod ws;

pub use config::{Config, ConfigError};
pub use http::access::{InvalidOrigin, Origin};
pub use parts::PartEnded;

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
    /// The memory for answers that are not read yet.
    pub(crate) budget: http::AnswerBudget,
    pub(crate) stop: CancellationToken,
    pub(crate) started: Instant,
}

/// Serves on `listener` until `shutdown` resolves, then ends in good order: nothing new is accepted, requests under way
/// are finished, WebSockets are closed with 1001, within ten seconds.
///
/// # Errors
/// When the database can't be opened, and a [`PartEnded`] when a part of the server ends that it can't be without; it
/// stops in good order then too.
pub async fn run(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    let (store, writer) = Store::open(&config.database_url)
        .await
        .with_context(|| format!("can't use the database {}", config.database_url))?;
    let ice_servers = Some(config.ice_servers.clone()).filter(|servers| servers.get() != "[]");
    let registry = Registry::new(ice_servers);
    let stop = CancellationToken::new();
    let sessions = TaskTracker::new();
    let context = ws::Context {
        registry: registry.clone(),
        message_rate: config.message_rate,
        #[cfg(test)]
        echo: false,
    };
    let budget = http::AnswerBudget::new();
    let app = App {
        config: Arc::new(config),
        registry: registry.clone(),
        sockets: Sockets { context, tasks: sessions.clone() },
        store: store.clone(),
        keys: http::Keys::default(),
        budget: budget.clone(),
        stop: stop.clone(),
        started: Instant::now(),
    };
    let access = Access::new(app.config.allow_origin.clone(), address.ip().is_loopback());
    let server = Server::new(http::routes(&app), access, app.config.max_connections, budget, stop.clone());
    drop(app);
    jobs::runner::requeue(&store).await.context("jobs that the last run left can't be taken up")?;
    let mut jobs = tokio::spawn(jobs::runner::run(store.clone(), jobs::digest::digest, stop.clone()));
    info!(server.address = %address, "listening: open http://{address}");

    let mut accepting = tokio::spawn({
        let server = server.clone();
        listen::accept(listener, move |wire, remote| server.start(wire, remote))
    });
    let died = tokio::select! {
        () = shutdown => None,
        ended = parts::ended("the part that accepts connections", &mut accepting) => Some(ended),
        ended = parts::ended("the part that works on jobs", &mut jobs) => Some(ended),
        part = store.ended() => Some(PartEnded::new(part, "its task is gone")),
    };
    drop(store);
    if let Some(part) = &died {
        error!(error = %part, "stopping");
    }
    stop.cancel();
    registry.close(CloseCode::GoingAway);
    sessions.close();
    let drained = timeout(limits::DRAIN, async {
        tokio::join!(server.drained(), sessions.wait());
        if !jobs.is_finished() {
            let _ = jobs.await;
        }
    });
    if drained.await.is_err() {
        warn!("some requests were not done in time");
    }
    accepting.abort();
    // A request that is still under way holds on to the writer, and is let down.
    if timeout(limits::CLOSE_GRACE, writer.finish()).await.is_err() {
        warn!("the database was not closed");
    }
    info!("stopped");
    died.map_or(Ok(()), |part| Err(part.into()))
}
