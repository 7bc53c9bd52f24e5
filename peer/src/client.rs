//! Joining a room: the handle, and the stream of what happens.

mod config;
mod first_frame;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::Stream;
use grtc_protocol::{PeerId, RoomId, server::ServerMessage};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::config::Config;
use self::first_frame::first_frame;
use crate::{
    channels::{Channels, SendError, Sent, SentToAll},
    driver::{Command, Driver, Start},
    event::{Event, Payload},
    limits::{EVENT_QUEUE, SOCKET_BUFFER_BYTES},
    link::{LinkError, SignalLink, session::Session, ws::WebSocketLink},
    network_watch,
    report::PeerStatus,
    rtc::{self, IceServer, NetworkError, Settings, WebRtc},
};

/// A peer in a room.
///
/// It connects to everybody in the room by itself. Dropping it ends everything in the background; [`Peer::leave`] does
/// the same and waits.
#[derive(Debug)]
pub struct Peer {
    id: PeerId,
    room: RoomId,
    channels: Arc<Channels>,
    commands: mpsc::Sender<Command>,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

/// What happens in the room, as a [`Stream`]. While it is not read, nothing more is taken in from the other peers: they
/// wait, as far as their own buffers go. It ends after [`Peer::leave`] or [`Event::Ended`].
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Event>);

/// Why a peer is not in the room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// There is no link to the server.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// There is no address to gather candidates on.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The server does not speak the protocol.
    #[error("the server's first frame is no room_state")]
    Protocol,
}

impl Peer {
    /// Joins a room over a WebSocket.
    ///
    /// # Errors
    /// When the server can't be reached or says no, or this machine has no usable network address.
    pub async fn join(config: Config) -> Result<(Self, Events), JoinError> {
        let link = WebSocketLink::new(config.server.clone(), config.room.clone())
            .with_token(config.token.clone())
            .with_roots(config.roots.clone());
        Self::join_over(config, Arc::new(link)).await
    }

    /// Joins a room over a link of your own. [`Config::server`] and [`Config::token`] are not used.
    ///
    /// # Errors
    /// As [`Peer::join`].
    pub async fn join_over(config: Config, link: Arc<dyn SignalLink>) -> Result<(Self, Events), JoinError> {
        config.network.addresses()?;
        let (ends, first) = first_frame(&*link, &config).await?;
        let Ok(ServerMessage::RoomState(state)) = ServerMessage::parse(&first) else {
            return Err(JoinError::Protocol);
        };
        let offered = state.ice_servers.map(|json| ice_servers(json.get())).unwrap_or_default();
        let settings = Settings {
            ice_servers: usable(if config.ice_servers.is_empty() { offered } else { config.ice_servers.clone() }),
            network: config.network.clone(),
            socket_buffer: SOCKET_BUFFER_BYTES,
        };
        let (id, token) = (state.your_peer_id, state.resume_token.map(String::from));
        let session = Session::new(link, id.clone(), ends, token, fastrand::Rng::new());
        let mut urls = settings.ice_servers.iter().flat_map(|server| &server.urls);
        if settings.network.relay_only && !urls.any(|url| rtc::is_turn(url)) {
            // The server would keep its place.
            session.leave().await;
            return Err(NetworkError::NoRelay.into());
        }
        Ok(Self::start(id, config.room, config.metadata, first, settings, session))
    }

    fn start(
        id: PeerId,
        room: RoomId,
        metadata: Map<String, Value>,
        first: String,
        settings: Settings,
        session: Session,
    ) -> (Self, Events) {
        let (events, stream) = mpsc::channel(EVENT_QUEUE);
        let (commands, queue) = mpsc::channel(1);
        let (channels, tracker, cancel) = (Arc::<Channels>::default(), TaskTracker::new(), CancellationToken::new());
        let driver = Driver::new(Start {
            id: id.clone(),
            room: room.clone(),
            first,
            metadata,
            session,
            backend: Arc::new(WebRtc::new(settings, tracker.clone())),
            channels: Arc::clone(&channels),
            events,
            changes: network_watch::start(),
            commands: queue,
            tracker: tracker.clone(),
            cancel: cancel.clone(),
        });
        let running = TaskTracker::new();
        running.spawn(driver.run());
        running.close();
        let peer = Self { id, room, channels, commands, tracker: running, cancel };
        (peer, Events(stream))
    }

    /// The id of this peer.
    #[must_use]
    pub fn id(&self) -> &PeerId {
        &self.id
    }

    /// The room.
    #[must_use]
    pub fn room(&self) -> &RoomId {
        &self.room
    }

    /// The peers that there is an open channel to.
    #[must_use]
    pub fn connected(&self) -> Vec<PeerId> {
        self.channels.peers()
    }

    /// Sends a message to one peer, and waits until its program has it ([`Sent::delivered`]): it stands in the queue of its
    /// [`Events`]. A connection that breaks meanwhile is made anew, and the message arrives once.
    ///
    /// # Errors
    /// When there is no open channel to the peer, or the message is too long; and as [`Sent::delivered`].
    pub async fn send(&self, peer: &PeerId, payload: impl Into<Payload> + Send) -> Result<(), SendError> {
        self.queue(peer, payload).await?.delivered().await
    }

    /// Hands over a message to one peer: for who sends many. Waits only while more is under way than there is room for, so
    /// that who reads slowly is not overrun. Messages arrive in the order in which they are handed over.
    ///
    /// # Errors
    /// When there is no open channel to the peer, or none any more, or the message is too long.
    pub async fn queue(&self, peer: &PeerId, payload: impl Into<Payload> + Send) -> Result<Sent, SendError> {
        self.channels.queue(peer, &payload.into()).await
    }

    /// Sends a message to all peers that there is an open channel to, waits until they have it as [`Peer::send`], and says who
    /// has not: one may take shorter messages only, or leave meanwhile. Waits for the slowest.
    ///
    /// # Errors
    /// When the message is too long for anybody.
    pub async fn send_all(&self, payload: impl Into<Payload> + Send) -> Result<SentToAll, SendError> {
        self.channels.send_all(&payload.into()).await
    }

    /// Waits until this peer has everything that was handed over for it before, however long that takes.
    ///
    /// # Errors
    /// When the peer is gone before, or restarted: what was under way may be lost.
    pub async fn flush(&self, peer: &PeerId) -> Result<(), SendError> {
        self.flush_marked(peer, || ()).await
    }

    /// As [`Peer::flush`], for who goes on sending: `mark` says how much was handed over, before that is waited for, and what it
    /// said is given back.
    ///
    /// # Errors
    /// As [`Peer::flush`].
    pub async fn flush_marked<T: Send>(
        &self,
        peer: &PeerId,
        mark: impl Fn() -> T + Send + Sync,
    ) -> Result<T, SendError> {
        self.channels.flush(peer, mark).await
    }

    /// How the connection to each other peer is. Empty once the stay has ended.
    pub async fn status(&self) -> Vec<PeerStatus> {
        let (answer, status) = oneshot::channel();
        match self.commands.send(Command::Status(answer)).await {
            Ok(()) => status.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Leaves the room: tells the server, closes every channel once what was sent is out, and waits for all of it.
    pub async fn leave(&self) {
        self.cancel.cancel();
        self.tracker.wait().await;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Events {
    /// The next event; `None` after the end.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.poll_recv(context)
    }
}

/// Those that can be used. The others are said, and spoil nothing.
fn usable(servers: Vec<IceServer>) -> Vec<IceServer> {
    let mut usable = Vec::new();
    for server in servers {
        let (server, left_out) = server.usable();
        for (url, reason) in left_out {
            tracing::warn!(%url, %reason, "an ICE server is left out");
        }
        usable.extend(server);
    }
    usable
}

/// `RTCIceServer`s as a server gives them. What can't be read is left out.
fn ice_servers(json: &str) -> Vec<IceServer> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Urls {
        One(String),
        Many(Vec<String>),
    }
    #[derive(serde::Deserialize)]
    struct Server {
        urls: Urls,
        #[serde(default)]
        username: String,
        #[serde(default)]
        credential: String,
    }
    let servers: Vec<serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    (servers.into_iter().filter_map(|server| serde_json::from_value::<Server>(server).ok()))
        .map(|Server { urls, username, credential }| IceServer {
            urls: match urls {
                Urls::One(url) => vec![url],
                Urls::Many(urls) => urls,
            },
            username,
            credential,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_browser_would() {
        let json = r#"[{"urls":"stun:a:3478"},{"urls":["turn:b","turn:c"],"username":"u","credential":"p"},7,{"x":1}]"#;
        let servers = ice_servers(json);
        assert_eq!(servers.len(), 2);
        assert_eq!((servers[1].urls.len(), &*servers[1].credential), (2, "p"));
        assert!(!format!("{servers:?}").contains("\"p\""), "credentials are not printed");
        assert!(ice_servers("{}").is_empty());
    }
}
