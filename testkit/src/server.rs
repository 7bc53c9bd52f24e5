//! A server for one test.

use std::net::SocketAddr;

use anyhow::Context;
use grtc_load::process::{STOP, empty_directory};
use grtc_server::{Config, limits::Limit};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};

use crate::{
    http::Http,
    ws::{self, Client, Refusal},
};

/// A server on a free port with an empty database, in the test's own process. It ends when it is dropped. For what only
/// a process of its own can show (signals, crashes, the log) there is [`crate::ServerProcess`].
///
/// ```no_run
/// # async fn example() -> anyhow::Result<()> {
/// use grtc_testkit::TestServer;
/// use serde_json::json;
///
/// let server = TestServer::start().await?;
/// assert_eq!(server.http().get("/health").await?.status, 200);
///
/// let mut a = server.join("room1", "a").await?;
/// let mut b = server.join("room1", "b").await?;
/// assert_eq!(b.room_state()["peers"], json!(["a"]));
/// a.expect("peer_joined").await?;
/// a.send(json!({"type": "message", "target_peer_id": "b", "data": 1})).await?;
/// assert_eq!(b.expect("direct_message").await?["data"], 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    // Dropping it tells the server to stop.
    shutdown: oneshot::Sender<()>,
    server: JoinHandle<anyhow::Result<()>>,
    _directory: TempDir,
}

impl TestServer {
    /// Starts a server with its defaults, but without a limit on messages and deliveries.
    ///
    /// # Errors
    /// When it can't bind.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(|_| {}).await
    }

    /// Starts a server as [`TestServer::start`] does, with what `change` makes of its configuration, such as
    /// `|config| config.limits[Limit::MessageRate] = 100`.
    ///
    /// # Errors
    /// When that can't be run, or it can't bind.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        let directory = empty_directory()?;
        let database = format!("sqlite://{}?mode=rwc", directory.path().join("grtc.db").display());
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config { listen, database_url: database, ..Config::default() };
        for limit in [Limit::MessageRate, Limit::DeliveryRate] {
            config.limits[limit] = 0;
        }
        change(&mut config);
        let config = config.check()?;
        let listener = TcpListener::bind(config.listen).await.context("can't listen")?;
        let address = listener.local_addr()?;
        let (shutdown, told) = oneshot::channel();
        let server = tokio::spawn(grtc_server::run(listener, config, async {
            // Dropped or sent: both mean that the test is over.
            let _ = told.await;
        }));
        Ok(Self { address, shutdown, server, _directory: directory })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT` and `path`, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `ws://127.0.0.1:PORT` and the path of a room, without a peer id.
    #[must_use]
    pub fn ws_url(&self, room: &str) -> String {
        ws::url(self.address, room)
    }

    /// Its HTTP side.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(self.address)
    }

    /// Joins a room and waits for the `room_state`.
    ///
    /// # Errors
    /// When the server refuses the upgrade, or sends something else first, a close for instance.
    pub async fn join(&self, room: &str, peer: &str) -> anyhow::Result<Client> {
        Client::join(self.address, room, peer).await
    }

    /// Upgrades without waiting for any frame: for connections that end with a close code instead of a `room_state`.
    ///
    /// # Errors
    /// The answer of a server that refuses the upgrade.
    pub async fn connect(&self, room: &str, peer: &str) -> Result<Client, Refusal> {
        Client::connect(&ws::peer_url(self.address, room, peer)).await
    }

    /// Ends it as an operator would, and waits until it has ended.
    ///
    /// # Errors
    /// When it does not end in time, or with a failure.
    pub async fn stop(self) -> anyhow::Result<()> {
        drop(self.shutdown);
        let ended = timeout(STOP, self.server).await;
        ended.with_context(|| format!("the server did not end within {STOP:?}"))?.context("the server panicked")?
    }
}
