//! A WebSocket client as verbs. Every wait has a bound, so that a test fails instead of hanging.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async, connect_async_tls_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest as _,
        http::{HeaderName, HeaderValue},
    },
};

use crate::tls::Authority;

/// How long a client waits for what it expects.
pub const WAIT: Duration = Duration::from_secs(5);

/// A peer in a room.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    room_state: Value,
}

/// How a server ended a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The close code; `None` when the connection ended without a close frame that has one.
    pub code: Option<u16>,
    /// The reason in the close frame.
    pub reason: String,
}

/// Why there was no upgrade.
#[derive(Debug)]
pub struct Refusal {
    /// The status of the server's answer; `None` when there was no answer at all.
    pub status: Option<u16>,
    /// The body of the answer, or what went wrong.
    pub body: String,
}

/// `ws://ADDRESS/ws/ROOM`, the room percent-encoded.
#[must_use]
pub fn url(server: SocketAddr, room: &str) -> String {
    format!("ws://{server}/ws/{}", utf8_percent_encode(room, NON_ALPHANUMERIC))
}

/// `ws://ADDRESS/ws/ROOM?peer_id=PEER`, both percent-encoded.
#[must_use]
pub fn peer_url(server: SocketAddr, room: &str, peer: &str) -> String {
    format!("{}?peer_id={}", url(server, room), utf8_percent_encode(peer, NON_ALPHANUMERIC))
}

impl Client {
    /// Joins a room and waits for the `room_state`.
    ///
    /// # Errors
    /// When the server refuses the upgrade, or sends something else first, a close for instance.
    pub async fn join(server: SocketAddr, room: &str, peer: &str) -> anyhow::Result<Self> {
        let mut client = Self::connect(&peer_url(server, room, peer)).await?;
        client.room_state = client.expect("room_state").await?;
        Ok(client)
    }

    /// Upgrades at this URL without waiting for any frame.
    ///
    /// # Errors
    /// The answer of a server that refuses the upgrade.
    pub async fn connect(url: &str) -> Result<Self, Refusal> {
        let connected = timeout(WAIT, connect_async(url))
            .await
            .map_err(|_| Refusal { status: None, body: format!("no answer within {WAIT:?}") })?;
        let (socket, _) = connected.map_err(Refusal::from)?;
        Ok(Self { socket, room_state: Value::Null })
    }

    /// The same with headers of its own, as `("authorization", "Bearer …")`.
    ///
    /// # Errors
    /// As [`Client::connect`], and when a header is none.
    pub async fn connect_with(url: &str, headers: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::try_from(*name)?, HeaderValue::try_from(*value)?);
        }
        let connected = timeout(WAIT, connect_async(request)).await.context("no answer to the upgrade")?;
        let (socket, _) = connected.map_err(Refusal::from)?;
        Ok(Self { socket, room_state: Value::Null })
    }

    /// Joins a room over TLS, as somebody who believes in this authority, and waits for the `room_state`.
    ///
    /// # Errors
    /// As [`Client::join`], and when the server can't be believed.
    pub async fn join_securely(
        authority: &Authority,
        server: SocketAddr,
        room: &str,
        peer: &str,
    ) -> anyhow::Result<Self> {
        let connector = Connector::Rustls(Arc::new(authority.client(&[], rustls::ALL_VERSIONS)?));
        let url = peer_url(server, room, peer).replacen("ws://", "wss://", 1);
        let connecting = connect_async_tls_with_config(url, None, false, Some(connector));
        let (socket, _) = timeout(WAIT, connecting).await.context("no answer")?.map_err(Refusal::from)?;
        let mut client = Self { socket, room_state: Value::Null };
        client.room_state = client.expect("room_state").await?;
        Ok(client)
    }

    /// The `room_state` with which [`Client::join`] was answered; null after [`Client::connect`].
    #[must_use]
    pub fn room_state(&self) -> &Value {
        &self.room_state
    }

    /// Sends one JSON message.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send(&mut self, message: Value) -> anyhow::Result<()> {
        self.send_raw(Message::text(message.to_string())).await
    }

    /// Sends any frame: a text that is no JSON, a binary one, a close.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send_raw(&mut self, frame: Message) -> anyhow::Result<()> {
        let sent = timeout(WAIT, self.socket.send(frame)).await;
        sent.context("the server does not read")?.context("can't send")
    }

    /// The next JSON message. Pings are answered and passed over.
    ///
    /// # Errors
    /// When none comes within [`WAIT`], or the connection ends, or a frame is no JSON.
    pub async fn recv(&mut self) -> anyhow::Result<Value> {
        match self.next(WAIT).await?.ok_or_else(|| anyhow!("no message within {WAIT:?}"))? {
            Event::Message(message) => Ok(message),
            Event::Closed(closed) => bail!("closed instead of a message: {closed:?}"),
        }
    }

    /// The next message, which has to be of this `type`.
    ///
    /// # Errors
    /// When it is another one, or as [`Client::recv`].
    pub async fn expect(&mut self, kind: &str) -> anyhow::Result<Value> {
        let message = self.recv().await.with_context(|| format!("waiting for {kind:?}"))?;
        anyhow::ensure!(message["type"] == kind, "expected {kind:?}, got {message}");
        Ok(message)
    }

    /// The next message of this `type`; others before it are dropped.
    ///
    /// # Errors
    /// As [`Client::recv`].
    pub async fn skip_to(&mut self, kind: &str) -> anyhow::Result<Value> {
        loop {
            let message = self.recv().await.with_context(|| format!("waiting for {kind:?}"))?;
            if message["type"] == kind {
                return Ok(message);
            }
        }
    }

    /// Makes sure that no message comes for a while. To prove that something was not sent, prefer to send a message
    /// that is answered (a `ping`) and to expect that answer next.
    ///
    /// # Errors
    /// When one comes, or the connection ends.
    pub async fn expect_silence(&mut self, wait: Duration) -> anyhow::Result<()> {
        match self.next(wait).await? {
            None => Ok(()),
            Some(event) => bail!("expected silence, got {event:?}"),
        }
    }

    /// Waits until the server closes; messages before that are dropped.
    ///
    /// # Errors
    /// When it does not within [`WAIT`] after the last message.
    pub async fn closed(&mut self) -> anyhow::Result<Closed> {
        loop {
            match self.next(WAIT).await?.ok_or_else(|| anyhow!("not closed within {WAIT:?}"))? {
                Event::Closed(closed) => return Ok(closed),
                Event::Message(_) => {}
            }
        }
    }

    /// Says `leave` and waits for the close.
    ///
    /// # Errors
    /// When the server does not close.
    pub async fn leave(mut self) -> anyhow::Result<Closed> {
        self.send(serde_json::json!({"type": "leave"})).await?;
        self.closed().await
    }

    /// Closes with 1000 and waits for the server's close.
    ///
    /// # Errors
    /// When the server does not close.
    pub async fn close(mut self) -> anyhow::Result<Closed> {
        let normal = tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "".into() };
        self.send_raw(Message::Close(Some(normal))).await?;
        self.closed().await
    }

    async fn next(&mut self, wait: Duration) -> anyhow::Result<Option<Event>> {
        loop {
            let Ok(frame) = timeout(wait, self.socket.next()).await else { return Ok(None) };
            return Ok(Some(match frame {
                Some(Ok(Message::Text(text))) => {
                    Event::Message(serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))?)
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(Some(frame)))) => {
                    Event::Closed(Closed { code: Some(frame.code.into()), reason: frame.reason.to_string() })
                }
                Some(Ok(Message::Close(None))) => Event::Closed(Closed { code: None, reason: String::new() }),
                Some(Ok(frame)) => bail!("the server sends text frames only, got {frame:?}"),
                Some(Err(error)) => Event::Closed(Closed { code: None, reason: error.to_string() }),
                None => Event::Closed(Closed { code: None, reason: "the connection ended".to_owned() }),
            }));
        }
    }
}

#[derive(Debug)]
enum Event {
    Message(Value),
    Closed(Closed),
}

impl From<tungstenite::Error> for Refusal {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(answer) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Self { status: Some(answer.status().as_u16()), body: String::from_utf8_lossy(body).into_owned() }
            }
            error => Self { status: None, body: error.to_string() },
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => write!(f, "the upgrade was refused with {status}: {}", self.body),
            None => write!(f, "no upgrade: {}", self.body),
        }
    }
}

impl std::error::Error for Refusal {}
