//! The connections of all pairs: does what the mesh says, and knows what the program was told of each.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    future::Future,
    sync::Arc,
};

use futures_util::future::join_all;
use grtc_protocol::PeerId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::FromConnection;
use crate::{
    channel::Channels,
    event::Event,
    mesh::PairKey,
    negotiator::{Action, ConnectionNumber, Input, Message, PairState},
    report::{CandidatePair, PeerStatus, Stage, Timings},
    rtc::{self, Channel, Command, Handle},
};

#[derive(Default)]
struct Pair {
    connection: Option<(ConnectionNumber, Handle)>,
    state: Option<PairState>,
    /// How far any connection came since one was open.
    stage: Option<Stage>,
    error: String,
    open: Option<Open>,
    /// The program was told that it is connected, and not that this is over.
    announced: bool,
}

#[derive(Clone)]
struct Open {
    channel: Channel,
    pair: CandidatePair,
    timings: Timings,
    deliver: watch::Sender<bool>,
}

/// All pairs.
pub(super) struct Pairs {
    settings: Arc<rtc::Settings>,
    to_driver: mpsc::Sender<FromConnection>,
    inbox: mpsc::Sender<Event>,
    tracker: TaskTracker,
    leaving: CancellationToken,
    pairs: HashMap<PairKey, Pair>,
    /// For each `Connected` that waits for the program: what lets the messages follow.
    announcing: VecDeque<watch::Sender<bool>>,
}

impl Pairs {
    pub(super) fn new(
        settings: Arc<rtc::Settings>,
        to_driver: mpsc::Sender<FromConnection>,
        inbox: mpsc::Sender<Event>,
        tracker: TaskTracker,
        leaving: CancellationToken,
    ) -> Self {
        Self { settings, to_driver, inbox, tracker, leaving, pairs: HashMap::new(), announcing: VecDeque::new() }
    }

    /// Takes what a connection says; what is for the negotiator is passed on.
    pub(super) fn event(&mut self, key: &PairKey, connection: ConnectionNumber, event: rtc::Event) -> Option<Input> {
        let pair = self.pairs.get_mut(key)?;
        if pair.connection.as_ref().is_none_or(|(current, _)| *current != connection) {
            return None;
        }
        match event {
            rtc::Event::Input(input) => Some(input),
            rtc::Event::Stage(stage) => {
                pair.stage = pair.stage.max(Some(stage));
                None
            }
            rtc::Event::Open { channel, pair: candidates, timings, deliver } => {
                pair.open = Some(Open { channel, pair: candidates, timings, deliver });
                Some(Input::ChannelOpen { connection })
            }
        }
    }

    /// Does what the pair's negotiator says; what is for the other side is handed back.
    pub(super) fn act(
        &mut self,
        key: &PairKey,
        action: Action,
        channels: &Channels,
        events: &mut VecDeque<Event>,
    ) -> Option<Message> {
        let command = match action {
            Action::Send(message) => return Some(message),
            Action::Open { connection, channel } => {
                self.open(key, connection, channel);
                return None;
            }
            Action::State(state) => {
                self.enter(key, state, channels, events);
                return None;
            }
            Action::Close { .. } => {
                self.close(key, channels, events);
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
        let context = rtc::Context {
            key: key.clone(),
            connection,
            channel,
            settings: Arc::clone(&self.settings),
            leaving: self.leaving.clone(),
            events: self.to_driver.clone(),
            inbox: self.inbox.clone(),
        };
        let handle = rtc::open(&self.tracker, context);
        let pair = self.pairs.entry(key.clone()).or_default();
        pair.connection = Some((connection, handle));
    }

    /// The connection ends; so does the channel on it.
    fn close(&mut self, key: &PairKey, channels: &Channels, events: &mut VecDeque<Event>) {
        if let Some(pair) = self.pairs.get_mut(key) {
            (pair.connection, pair.open) = (None, None);
            if std::mem::take(&mut pair.announced) {
                channels.remove(&key.peer);
                events.push_back(Event::Disconnected { peer_id: key.peer.clone() });
            }
        }
    }

    fn enter(&mut self, key: &PairKey, state: PairState, channels: &Channels, events: &mut VecDeque<Event>) {
        let pair = self.pairs.entry(key.clone()).or_default();
        pair.state = Some(state);
        let peer_id = key.peer.clone();
        match state {
            PairState::Connecting => events.push_back(Event::Connecting { peer_id }),
            PairState::Connected => {
                let Some(open) = &pair.open else { return };
                channels.insert(peer_id.clone(), open.channel.clone());
                self.announcing.push_back(open.deliver.clone());
                events.push_back(Event::Connected { peer_id, pair: open.pair.clone(), timings: open.timings });
                (pair.announced, pair.stage) = (true, None);
            }
            // The connection is closed in the same breath: that is when the program is told.
            PairState::Disconnected => {}
            PairState::Failed => {
                let stage = pair.stage.unwrap_or(Stage::Signaling);
                let message = format!("{}: {}", pair.error, stage.explanation());
                events.push_back(Event::Failed { peer_id, stage, message });
            }
        }
    }

    /// The program has the next `Connected`: messages may follow, even those of a channel that has closed since.
    pub(super) fn announced(&mut self) {
        if let Some(deliver) = self.announcing.pop_front() {
            deliver.send_replace(true);
        }
    }

    /// Whether the program was told of any open channel.
    pub(super) fn any_open(&self) -> bool {
        self.pairs.values().any(|pair| pair.announced)
    }

    /// The pair is over.
    pub(super) fn remove(&mut self, key: &PairKey, channels: &Channels, events: &mut VecDeque<Event>) {
        self.close(key, channels, events);
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
