//! The driver between a server and connections that are made up, in virtual time. One scenario a file.

mod a_channel_ends_while_its_peer_is_away;
mod a_channel_outlives_a_lost_link;
mod a_message_follows_its_connected;
mod a_pair_outlives_its_connection;
mod a_pair_that_was_secured_and_did_not_open_is_stuck;
mod no_answer_is_tried_again_and_then_failed;
mod nobody_is_read_while_the_program_does_not_read;
mod signals_of_who_is_not_there_are_dropped;
mod the_later_name_gives_way;
mod what_comes_of_a_pair_is_reported;
mod what_comes_of_an_earlier_pair_is_ignored;
mod who_comes_back_has_missed_nothing;

use std::{sync::Arc, time::Duration};

use grtc_protocol::PeerId;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Driver, Start};
use crate::{
    backend::{self, Command, Context, Handle, Open, RtcBackend},
    channel::Channel,
    channels::Channels,
    delivery::tests::{End, connect},
    event::{Event, Payload, Via},
    limits::MESSAGE_BYTES,
    link::{Incoming, Join, LinkEnds, LinkError, Outgoing, SignalLink, session::Session},
    negotiator::Input,
    network_watch::Changed,
    report::{CandidatePair, Timings},
};

/// What is made up: the server's end of each link, and each connection that the driver opens.
struct World {
    events: mpsc::Receiver<Event>,
    server: Server,
    links: mpsc::Receiver<Server>,
    connections: mpsc::Receiver<Connection>,
    channels: Arc<Channels>,
    change: mpsc::Sender<Changed>,
    cancel: CancellationToken,
    driver: tokio::task::JoinHandle<()>,
}

/// The server's end of a link.
struct Server {
    to_peer: mpsc::Sender<Incoming>,
    from_peer: mpsc::Receiver<Outgoing>,
}

/// A connection that the driver has opened.
struct Connection {
    context: Context,
    commands: mpsc::Receiver<Command>,
}

struct Link(mpsc::Sender<Server>);
struct Backend(mpsc::Sender<Connection>);

#[async_trait::async_trait]
impl SignalLink for Link {
    async fn open(&self, _: &Join) -> Result<LinkEnds, LinkError> {
        let (ends, server) = link();
        self.0.try_send(server).ok();
        Ok(ends)
    }
}

impl RtcBackend for Backend {
    fn open(&self, context: Context) -> Handle {
        let (handle, commands) = mpsc::channel(64);
        self.0.try_send(Connection { context, commands }).ok();
        Handle::new(handle)
    }
}

fn link() -> (LinkEnds, Server) {
    let (outgoing, from_peer) = mpsc::channel(64);
    let (to_peer, incoming) = mpsc::channel(64);
    (LinkEnds { outgoing, incoming }, Server { to_peer, from_peer })
}

fn id(name: &str) -> PeerId {
    name.parse().unwrap()
}

impl World {
    /// `me` joins a room in which these are, with a program that has room for so many events.
    fn new(peers: &[&str], events: usize) -> Self {
        let (program, events) = mpsc::channel(events);
        let (opened, links) = mpsc::channel(64);
        let (made, connections) = mpsc::channel(64);
        let (ends, server) = link();
        let (change, changes) = mpsc::channel(1);
        let (channels, cancel) = (Arc::<Channels>::default(), CancellationToken::new());
        let driver = Driver::new(Start {
            id: id("me"),
            room: "room".parse().unwrap(),
            first: json!({"type":"room_state","your_peer_id":"me","peers":peers}).to_string(),
            metadata: serde_json::Map::new(),
            session: Session::new(Arc::new(Link(opened)), id("me"), ends, None, fastrand::Rng::with_seed(1)),
            backend: Arc::new(Backend(made)),
            channels: Arc::clone(&channels),
            events: program,
            changes,
            commands: mpsc::channel(1).1,
            tracker: TaskTracker::new(),
            cancel: cancel.clone(),
        });
        let driver = tokio::spawn(driver.run());
        Self { events, server, links, connections, channels, change, cancel, driver }
    }

    async fn event(&mut self) -> Event {
        self.events.recv().await.expect("the driver ended")
    }

    async fn connection(&mut self) -> Connection {
        self.connections.recv().await.unwrap()
    }

    /// The next connection, once the program has the first message of its channel; and what is sent over that.
    async fn connected(&mut self) -> (Connection, mpsc::Receiver<Payload>) {
        let connection = self.connection().await;
        let (sent, _) = connection.opens().await;
        while !matches!(self.event().await, Event::Message { .. }) {}
        (connection, sent)
    }

    /// The driver's end, which closes all that it has opened.
    async fn leave(self) {
        self.cancel.cancel();
        drop((self.server, self.links));
        self.driver.await.unwrap();
    }
}

impl Server {
    async fn says(&self, frame: Value) {
        self.to_peer.send(Incoming::Text(frame.to_string())).await.unwrap();
    }

    async fn room_state(&self, peers: &[&str]) {
        let frame = json!({"type":"room_state","room_id":"room","your_peer_id":"me","peers":peers,"total_peers":1,"timestamp":"t"});
        self.says(frame).await;
    }

    async fn joined(&self, peer: &str) {
        self.says(json!({"type":"peer_joined","peer_id":peer,"timestamp":"t","total_peers":1})).await;
    }

    async fn left(&self, peer: &str, reason: &str) {
        self.says(json!({"type":"peer_left","peer_id":peer,"timestamp":"t","total_peers":1,"reason":reason})).await;
    }

    async fn offers(&self, from: &str, attempt: &str) {
        let offer =
            json!({"type":"offer","target_peer_id":"me","offer":{"type":"offer","sdp":"v=0"},"attempt":attempt});
        self.says(json!({"type":"webrtc_signal","from_peer_id":from,"signal":offer,"timestamp":"t"})).await;
    }

    /// The next frame of this type that the peer sends.
    async fn hears(&mut self, kind: &str) -> Value {
        loop {
            let Some(Outgoing::Text(text)) = self.from_peer.recv().await else { panic!("the link ended") };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    async fn breaks(&self) {
        self.to_peer.send(Incoming::End(LinkError::Unreachable("cut".to_owned()))).await.unwrap();
    }
}

impl Connection {
    async fn tells(&self, event: backend::Event) {
        let Context { events, key, connection, .. } = &self.context;
        events.send((key.clone(), *connection, event)).await.unwrap();
    }

    /// Is asked for an offer, and makes one.
    async fn offers(&mut self) {
        let Some(Command::CreateOffer) = self.commands.recv().await else { panic!("no offer is asked for") };
        self.tells(backend::Event::Input(Input::OfferCreated {
            connection: self.context.connection,
            sdp: "v=0".to_owned(),
        }))
        .await;
    }

    /// Its streams are linked with those of the other side, until what is given back is dropped.
    async fn links(&self, other: &End) -> JoinSet<()> {
        let streams = Channel::Streams(Arc::clone(&self.context.delivery));
        let connection = connect(&self.context.delivery, &other.delivery);
        self.tells(backend::Event::Open(open(streams, watch::Sender::new(false)))).await;
        connection
    }

    /// A channel opens: what is sent over it, and what lets its messages through.
    async fn opens(&self) -> (mpsc::Receiver<Payload>, watch::Receiver<bool>) {
        let (sender, sent) = mpsc::channel(64);
        let deliver = watch::Sender::new(false);
        let open = open(Channel::Kept(sender, MESSAGE_BYTES), deliver.clone());
        let opened = deliver.subscribe();
        // As a pump does: a message goes to the program once that knows of the channel.
        let (inbox, from) = (self.context.inbox.clone(), self.context.key.peer.clone());
        tokio::spawn(async move {
            let mut deliver = deliver.subscribe();
            deliver.wait_for(|deliver| *deliver).await.unwrap();
            inbox.send(Event::Message { from, payload: "first".into(), via: Via::P2p }).await.ok();
        });
        self.tells(backend::Event::Open(open)).await;
        (sent, opened)
    }

    /// Waits until the driver has dropped it.
    async fn dropped(mut self) {
        while self.commands.recv().await.is_some() {}
    }
}

fn open(channel: Channel, deliver: watch::Sender<bool>) -> Open {
    let host = || "host".to_owned();
    Open {
        channel,
        pair: CandidatePair { local: host(), remote: host(), protocol: "udp".to_owned() },
        timings: Timings { signaling: 0.0, ice: 0.0, dtls: 0.0, sctp: 0.0, total: 0.0 },
        address: Some([192, 0, 2, 1].into()),
        restarted: false,
        deliver,
    }
}
