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
use grtc_protocol::{CloseCode, limits::CLOSE_GRACE};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

#[cfg(test)]
mod autobahn;
mod base_path;
mod budget;
pub mod cli;
mod config;
mod connection_limit;
mod error;
mod gate;
mod http;
mod hub;
mod ice;
mod jobs;
pub mod limits;
mod listen;
pub mod open_files;
mod origin;
mod parts;
mod request_id;
mod route;
pub mod signals;
mod store;
pub mod telemetry;
mod write_deadline;
mod ws;

pub use base_path::{BasePath, InvalidBasePath};
pub use config::{Config, ConfigError};
pub use ice::Unusable;
pub use origin::{InvalidOrigin, Origin};
pub use parts::PartEnded;

use budget::Budget;
use gate::Gate;
use http::serve::Server;
use hub::registry::Registry;
use ice::IceServers;
use store::Store;
use ws::upgrade::Sockets;

/// Serves on `listener` until `shutdown` resolves, then ends in good order: nothing new is accepted, requests under way
/// are finished, WebSockets are closed with 1001, within ten seconds.
///
/// # Errors
/// When the configuration can't be run or the database can't be opened, and a [`PartEnded`] when a part of the server ends
/// that it can't be without; it stops in good order then too.
#[allow(
    clippy::too_many_lines,
    reason = "every part is made and ended here, in one order that is read from top to bottom"
)]
pub async fn run(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let config = config.check()?;
    let address = listener.local_addr().context("the listener has no address")?;
    let (store, writer) = Store::open(&config.database_url)
        .await
        .with_context(|| format!("can't use the database {}", config.database_url))?;
    let ice = IceServers::new(&config.ice_server)?;
    let registry = Registry::new(ice.clone(), config.resume_grace);
    let stop = CancellationToken::new();
    let sessions = TaskTracker::new();
    let budget = Budget::new();
    let sockets = Sockets {
        context: ws::Context {
            registry: registry.clone(),
            message_rate: config.message_rate,
            #[cfg(test)]
            echo: false,
        },
        tasks: sessions.clone(),
    };
    let context = http::Context {
        store: store.clone(),
        registry: registry.clone(),
        ice,
        web_dir: config.web_dir,
        keys: http::Keys::default(),
        budget: budget.clone(),
        stop: stop.clone(),
        started: Instant::now(),
    };
    let gate = Gate::new(config.allow_origin, address.ip().is_loopback(), stop.clone());
    let routes = http::routes(gate, config.base_path, &Arc::new(context), ws::upgrade::route(&sockets));
    let server = Server::new(routes, config.max_connections, budget, stop.clone());
    let mut jobs = tokio::spawn(jobs::runner::run(store.clone(), jobs::digest::digest, stop.clone()));
    info!(server.address = %address, "listening: open http://{address}");

    let mut rooms = tokio::spawn(registry.clone().keep());
    let mut accepting = tokio::spawn({
        let server = server.clone();
        listen::accept(listener, move |wire, remote| server.start(wire, remote))
    });
    let died = tokio::select! {
        () = shutdown => None,
        ended = parts::ended("the part that accepts connections", &mut accepting) => Some(ended),
        ended = parts::ended("the part that looks after the rooms", &mut rooms) => Some(ended),
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
    rooms.abort();
    // A request that is still under way holds on to the writer, and is let down.
    if timeout(CLOSE_GRACE, writer.finish()).await.is_err() {
        warn!("the database was not closed");
    }
    info!("stopped");
    died.map_or(Ok(()), |part| Err(part.into()))
}
