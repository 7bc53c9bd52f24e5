//! The live events of the item store, as an `EventSource` sees them.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

/// How long an event may take.
pub const WAIT: Duration = Duration::from_secs(10);

/// An open stream of events. It is closed when it is dropped.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    rest: String,
    connection: JoinHandle<Result<(), hyper::Error>>,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub name: String,
    /// What `Last-Event-ID` is to be for the next stream to go on after it.
    pub id: String,
    /// The item, or what there is instead.
    pub data: Value,
}

impl Events {
    /// Opens the stream, after the event with this id or from now on. Everything that is changed afterwards will be in it.
    ///
    /// # Errors
    /// When the answer is no stream of events.
    pub async fn open(server: SocketAddr, last_event_id: Option<&str>) -> anyhow::Result<Self> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(server).await?)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::get("/api/items/events").header(header::HOST, server.to_string());
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let answer = timeout(WAIT, sender.send_request(request.body(Empty::<Bytes>::new())?)).await??;
        let kind = answer.headers().get(header::CONTENT_TYPE);
        ensure!(kind.is_some_and(|kind| kind == "text/event-stream"), "no events: {answer:?}");
        let mut events = Self { body: answer.into_body(), rest: String::new(), connection };
        // The first block says that the stream is open; it has no event.
        events.block().await?.context("the stream ended at once")?;
        Ok(events)
    }

    /// The next event.
    ///
    /// # Errors
    /// When none comes within [`WAIT`], or the stream ends.
    #[allow(clippy::should_implement_trait, reason = "a verb that waits and may fail")]
    pub async fn next(&mut self) -> anyhow::Result<Event> {
        loop {
            let block = self.block().await?.context("the stream ended")?;
            let field = |name: &str| {
                block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
            };
            if let (Some(name), Some(id), Some(data)) = (field("event"), field("id"), field("data")) {
                return Ok(Event { name, id, data: serde_json::from_str(&data)? });
            }
        }
    }

    /// The next event, which has to be of this name.
    ///
    /// # Errors
    /// When it is another one, or as [`Events::next`].
    pub async fn expect(&mut self, name: &str) -> anyhow::Result<Event> {
        let event = self.next().await.with_context(|| format!("waiting for {name:?}"))?;
        ensure!(event.name == name, "expected {name:?}, got {event:?}");
        Ok(event)
    }

    /// Waits until the server ends the stream; events before that are dropped.
    ///
    /// # Errors
    /// When it does not within [`WAIT`] after the last one.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        while self.block().await?.is_some() {}
        Ok(())
    }

    /// What stands before the next empty line.
    async fn block(&mut self) -> anyhow::Result<Option<String>> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let block = block.to_owned();
                self.rest = rest.to_owned();
                return Ok(Some(block));
            }
            let frame = timeout(WAIT, self.body.frame()).await.with_context(|| format!("no event within {WAIT:?}"))?;
            match frame {
                Some(frame) => {
                    let data = frame?.into_data().map_err(|_| anyhow::anyhow!("trailers"))?;
                    self.rest.push_str(std::str::from_utf8(&data)?);
                }
                None => return Ok(None),
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
