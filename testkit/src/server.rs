//! A server for one test.

use std::net::SocketAddr;

use crate::{
    http::Http,
    process::{ServerProcess, server_binary},
    ws::{self, Client, Refusal},
};

/// A server on a free port with an empty database. It ends when it is dropped.
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
    process: ServerProcess,
}

impl TestServer {
    /// Starts a server with its defaults, but without a limit on messages.
    ///
    /// # Errors
    /// When there is no server binary or it does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(&[]).await
    }

    /// Starts a server with `arguments` in addition, such as `&["--message-rate", "100"]`.
    ///
    /// # Errors
    /// When there is no server binary or it does not start.
    pub async fn start_with(arguments: &[&str]) -> anyhow::Result<Self> {
        Ok(Self { process: ServerProcess::start(&server_binary()?, arguments).await? })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// `http://127.0.0.1:PORT` and `path`, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// `ws://127.0.0.1:PORT` and the path of a room, without a peer id.
    #[must_use]
    pub fn ws_url(&self, room: &str) -> String {
        ws::url(self.address(), room)
    }

    /// Its HTTP side.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(self.address())
    }

    /// Joins a room and waits for the `room_state`.
    ///
    /// # Errors
    /// When the server refuses the upgrade, or sends something else first, a close for instance.
    pub async fn join(&self, room: &str, peer: &str) -> anyhow::Result<Client> {
        Client::join(self.address(), room, peer).await
    }

    /// Upgrades without waiting for any frame: for connections that end with a close code instead of a `room_state`.
    ///
    /// # Errors
    /// The answer of a server that refuses the upgrade.
    pub async fn connect(&self, room: &str, peer: &str) -> Result<Client, Refusal> {
        Client::connect(&ws::peer_url(self.address(), room, peer)).await
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Ends it as an operator would and waits until it has ended.
    ///
    /// # Errors
    /// When it does not end in time, or with a failure.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.process.stop().await
    }
}
