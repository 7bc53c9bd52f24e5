//! The connections of all pairs: does what the mesh says, and knows what the program was told of each.

use std::{
    collections::{BTreeSet, HashMap},
    future::Future,
    sync::Arc,
};

use futures_util::future::join_all;
use grtc_protocol::PeerId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    backend::{self, Command, Context, FromConnection, Handle, Open, RtcBackend},
    channel::Label,
    channels::Channels,
    event::Event,
    mesh::PairKey,
    negotiator::{Action, ConnectionNumber, Input, Message, PairState},
    report::{LocalCause, PeerStatus, Stage},
};

#[derive(Default)]
struct Pair {
    connection: Option<(ConnectionNumber, Handle)>,
    state: Option<PairState>,
    /// How far any connection came since one was open.
    stage: Option<Stage>,
    error: String,
    /// What this machine lacked for the last one, told already.
    lacks: Option<LocalCause>,
    open: Option<Open>,
    /// The program was told that it is connected, and not that this is over.
    announced: bool,
}

/// An event for the program.
pub(super) struct Telling {
    pub(super) event: Event,
    /// Set once the program has it: the messages of the channel follow then, even when that has closed since.
    pub(super) deliver: Option<watch::Sender<bool>>,
}

impl From<Event> for Telling {
    fn from(event: Event) -> Self {
        Self { event, deliver: None }
    }
}

/// All pairs.
pub(super) struct Pairs {
    backend: Arc<dyn RtcBackend>,
    channels: Arc<Channels>,
    to_driver: mpsc::Sender<FromConnection>,
    inbox: mpsc::Sender<Event>,
    leaving: CancellationToken,
    pairs: HashMap<PairKey, Pair>,
    events: Vec<Telling>,
}

impl Pairs {
    pub(super) fn new(
        backend: Arc<dyn RtcBackend>,
        channels: Arc<Channels>,
        to_driver: mpsc::Sender<FromConnection>,
        inbox: mpsc::Sender<Event>,
        leaving: CancellationToken,
    ) -> Self {
        Self { backend, channels, to_driver, inbox, leaving, pairs: HashMap::new(), events: Vec::new() }
    }

    /// Takes what a connection says; what is for the negotiator is passed on.
    pub(super) fn event(
        &mut self,
        key: &PairKey,
        connection: ConnectionNumber,
        event: backend::Event,
    ) -> Option<Input> {
        let pair = self.pairs.get_mut(key)?;
        if pair.connection.as_ref().is_none_or(|(current, _)| *current != connection) {
            return None;
        }
        match event {
            backend::Event::Input(input) => Some(input),
            backend::Event::Local(cause) => {
                if pair.lacks.replace(cause.clone()).as_ref() != Some(&cause) {
                    self.events.push(Event::LocalFailure { peer_id: key.peer.clone(), cause }.into());
                }
                None
            }
            backend::Event::Stage(stage) => {
                pair.stage = pair.stage.max(Some(stage));
                None
            }
            backend::Event::Channel { label: Label::Chat, open } => {
                pair.open = Some(open);
                Some(Input::ChannelOpen { connection })
            }
        }
    }

    /// Does what the pair's negotiator says; what is for the other side is handed back.
    pub(super) fn act(&mut self, key: &PairKey, action: Action) -> Option<Message> {
        let command = match action {
            Action::Send(message) => return Some(message),
            Action::Open { connection, channel } => {
                self.open(key, connection, channel);
                return None;
            }
            Action::State(state) => {
                self.enter(key, state);
                return None;
            }
            Action::Close { .. } => {
                self.close(key);
                return None;
            }
            Action::Refused { message } => {
                tracing::debug!(peer = %key.peer, %message, "a description was refused");
                self.events.push(Event::Refused { peer_id: key.peer.clone(), message }.into());
                return None;
            }
            Action::Error { message } => {
                self.pairs.entry(key.clone()).or_default().error = message;
                return None;
            }
            Action::CreateOffer { .. } => Command::CreateOffer,
            Action::AcceptOffer { sdp, .. } => Command::AcceptOffer(sdp),
            Action::ApplyAnswer { sdp, .. } => Command::ApplyAnswer(sdp),
            Action::AddCandidate { candidate, .. } => Command::AddCandidate(candidate),
        };
        if let Some((_, handle)) = self.pairs.get(key).and_then(|pair| pair.connection.as_ref()) {
            handle.command(command);
        }
        None
    }

    fn open(&mut self, key: &PairKey, connection: ConnectionNumber, channel: bool) {
        let pair = self.pairs.entry(key.clone()).or_default();
        let context = Context {
            key: key.clone(),
            connection,
            channel: channel.then_some(Label::Chat),
            stuck: pair.stage == Some(Stage::Sctp),
            leaving: self.leaving.clone(),
            events: self.to_driver.clone(),
            inbox: self.inbox.clone(),
        };
        pair.connection = Some((connection, self.backend.open(context)));
    }

    /// The connection ends; so does the channel on it.
    fn close(&mut self, key: &PairKey) {
        if let Some(pair) = self.pairs.get_mut(key) {
            (pair.connection, pair.open) = (None, None);
            if std::mem::take(&mut pair.announced) {
                self.channels.remove(&key.peer);
                self.events.push(Event::Disconnected { peer_id: key.peer.clone() }.into());
            }
        }
    }

    fn enter(&mut self, key: &PairKey, state: PairState) {
        let pair = self.pairs.entry(key.clone()).or_default();
        tracing::debug!(peer = %key.peer, ?state, "a pair changed");
        pair.state = Some(state);
        let peer_id = key.peer.clone();
        match state {
            PairState::Connecting => self.events.push(Event::Connecting { peer_id }.into()),
            PairState::Connected => {
                let Some(open) = &pair.open else { return };
                self.channels.insert(peer_id.clone(), open.channel.clone());
                let event = Event::Connected { peer_id, pair: open.pair.clone(), timings: open.timings };
                self.events.push(Telling { event, deliver: Some(open.deliver.clone()) });
                (pair.announced, pair.stage, pair.lacks) = (true, None, None);
            }
            // The connection is closed in the same breath: that is when the program is told.
            PairState::Disconnected => {}
            PairState::Failed => {
                let reached = pair.stage.unwrap_or(Stage::Signaling);
                let stage = if pair.lacks.is_some() { Stage::Local } else { reached };
                let message = format!("{}: {}", pair.error, stage.explanation());
                self.events.push(Event::Failed { peer_id, stage, message }.into());
            }
        }
    }

    /// What the program is to be told, since this was asked last.
    pub(super) fn told(&mut self) -> impl Iterator<Item = Telling> + '_ {
        self.events.drain(..)
    }

    /// Nothing is sent any more.
    pub(super) fn end_channels(&self) {
        self.channels.clear();
    }

    /// Whether the program was told of any open channel.
    pub(super) fn any_open(&self) -> bool {
        self.pairs.values().any(|pair| pair.announced)
    }

    /// The pair is over.
    pub(super) fn remove(&mut self, key: &PairKey) {
        self.close(key);
        self.pairs.remove(key);
    }

    /// Asks every connection how it is and answers with all of them.
    pub(super) fn status(
        &self,
        roster: BTreeSet<PeerId>,
        answer: oneshot::Sender<Vec<PeerStatus>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let asked = self.pairs.iter().map(|(key, pair)| {
            let (sender, round_trip) = oneshot::channel();
            match &pair.connection {
                Some((_, handle)) if pair.announced => handle.command(Command::RoundTrip(sender)),
                _ => drop(sender),
            }
            let open = pair.open.clone().filter(|_| pair.announced);
            let status = PeerStatus {
                peer_id: key.peer.clone(),
                present: roster.contains(&key.peer),
                state: pair.state,
                stage: pair.stage,
                pair: open.as_ref().map(|open| open.pair.clone()),
                timings: open.map(|open| open.timings),
                round_trip_ms: None,
            };
            async move { PeerStatus { round_trip_ms: round_trip.await.ok().flatten(), ..status } }
        });
        let asked: Vec<_> = asked.collect();
        async move {
            let mut all = join_all(asked).await;
            all.sort_by(|a, b| a.peer_id.cmp(&b.peer_id));
            // Whoever asked may have gone.
            let _ = answer.send(all);
        }
    }
}
