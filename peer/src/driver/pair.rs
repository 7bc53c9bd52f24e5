//! One pair: its negotiator, the connection that it has now, and what the program was told of it.
//!
//! A pair is over when it is dropped: so is its connection then, and what its negotiator still had to do.

use std::future::Future;

use grtc_protocol::PeerId;
use tokio::sync::oneshot;

use super::surroundings::{Surroundings, Telling};
use crate::{
    backend::{self, Command, Context, Handle, Open, PairKey},
    channel::Label,
    event::Event,
    negotiator::{Action, ConnectionNumber, Input, Message, Negotiator, PairState},
    report::{LocalCause, PeerStatus, Stage},
};

/// What others have to know of a pair.
pub(super) enum Output {
    /// For the other side.
    Signal(PeerId, Message),
    /// The channel is open.
    Opened(PeerId),
    /// The channel is open no more, or not yet.
    Lost(PeerId),
}

pub(super) struct Pair {
    key: PairKey,
    negotiator: Negotiator,
    connection: Option<(ConnectionNumber, Handle)>,
    /// How far any connection came since one was open.
    stage: Option<Stage>,
    error: String,
    /// What this machine lacked for the last one, told already.
    lacks: Option<LocalCause>,
    open: Option<Open>,
    /// The program was told that it is connected, and not that this is over.
    announced: bool,
}

impl Pair {
    pub(super) fn new(key: PairKey, negotiator: Negotiator) -> Self {
        let (connection, stage, error, lacks, open) = (None, None, String::new(), None, None);
        Self { key, negotiator, connection, stage, error, lacks, open, announced: false }
    }

    pub(super) fn key(&self) -> &PairKey {
        &self.key
    }

    /// The program was told of its open channel.
    pub(super) fn is_announced(&self) -> bool {
        self.announced
    }

    /// Gives the negotiator something. [`Pair::poll_output`] does what it says.
    pub(super) fn handle(&mut self, now: u64, input: Input) {
        self.negotiator.handle(now, input);
    }

    /// When [`Input::Tick`] is due.
    pub(super) fn poll_timeout(&self) -> Option<u64> {
        self.negotiator.poll_timeout()
    }

    /// Takes what a connection says; what is for the negotiator is handed on.
    pub(super) fn event(
        &mut self,
        connection: ConnectionNumber,
        event: backend::Event,
        around: &mut Surroundings,
    ) -> Option<Input> {
        if self.connection.as_ref().is_none_or(|(current, _)| *current != connection) {
            return None;
        }
        match event {
            backend::Event::Input(input) => return Some(input),
            backend::Event::Local(cause) => {
                if self.lacks.replace(cause.clone()).as_ref() != Some(&cause) {
                    around.tell(Event::LocalFailure { peer_id: self.key.peer.clone(), cause });
                }
            }
            backend::Event::Stage(stage) => self.stage = self.stage.max(Some(stage)),
            backend::Event::Channel { label: Label::Chat, open } => {
                self.open = Some(open);
                return Some(Input::ChannelOpen { connection });
            }
        }
        None
    }

    /// Does what the negotiator says, up to what others have to know.
    pub(super) fn poll_output(&mut self, around: &mut Surroundings) -> Option<Output> {
        while let Some(action) = self.negotiator.poll_action() {
            let output = self.act(action, around);
            if output.is_some() {
                return output;
            }
        }
        None
    }

    fn act(&mut self, action: Action, around: &mut Surroundings) -> Option<Output> {
        match action {
            Action::Send(message) => return Some(Output::Signal(self.key.peer.clone(), message)),
            Action::State(state) => return Some(self.enter(state, around)),
            Action::Open { connection, channel } => self.open(connection, channel, around),
            Action::Close { .. } => self.close(around),
            Action::Refused { message } => {
                tracing::debug!(peer = %self.key.peer, %message, "a description was refused");
                around.tell(Event::Refused { peer_id: self.key.peer.clone(), message });
            }
            Action::Error { message } => self.error = message,
            Action::CreateOffer { .. } => self.command(Command::CreateOffer),
            Action::AcceptOffer { sdp, .. } => self.command(Command::AcceptOffer(sdp)),
            Action::ApplyAnswer { sdp, .. } => self.command(Command::ApplyAnswer(sdp)),
            Action::AddCandidate { candidate, .. } => self.command(Command::AddCandidate(candidate)),
        }
        None
    }

    fn command(&self, command: Command) {
        if let Some((_, handle)) = &self.connection {
            handle.command(command);
        }
    }

    fn open(&mut self, connection: ConnectionNumber, channel: bool, around: &Surroundings) {
        let handle = around.backend.open(Context {
            key: self.key.clone(),
            connection,
            channel: channel.then_some(Label::Chat),
            stuck: self.stage == Some(Stage::Sctp),
            leaving: around.leaving.clone(),
            events: around.to_driver.clone(),
            inbox: around.inbox.clone(),
        });
        self.connection = Some((connection, handle));
    }

    /// The connection ends; so does the channel on it.
    pub(super) fn close(&mut self, around: &mut Surroundings) {
        (self.connection, self.open) = (None, None);
        if std::mem::take(&mut self.announced) {
            around.channels.remove(&self.key.peer);
            around.tell(Event::Disconnected { peer_id: self.key.peer.clone() });
        }
    }

    fn enter(&mut self, state: PairState, around: &mut Surroundings) -> Output {
        tracing::debug!(peer = %self.key.peer, ?state, "a pair changed");
        let peer_id = self.key.peer.clone();
        match state {
            PairState::Connecting => around.tell(Event::Connecting { peer_id }),
            PairState::Connected => {
                self.announce(around);
                return Output::Opened(peer_id);
            }
            // The connection is closed in the same breath: that is when the program is told.
            PairState::Disconnected => {}
            PairState::Failed => {
                let reached = self.stage.unwrap_or(Stage::Signaling);
                let stage = if self.lacks.is_some() { Stage::Local } else { reached };
                let message = format!("{}: {}", self.error, stage.explanation());
                around.tell(Event::Failed { peer_id, stage, message });
            }
        }
        Output::Lost(self.key.peer.clone())
    }

    fn announce(&mut self, around: &mut Surroundings) {
        let Some(open) = &self.open else { return };
        let peer_id = self.key.peer.clone();
        around.channels.insert(peer_id.clone(), open.channel.clone());
        let event = Event::Connected { peer_id, pair: open.pair.clone(), timings: open.timings };
        around.told.push(Telling { event, deliver: Some(open.deliver.clone()) });
        (self.announced, self.stage, self.lacks) = (true, None, None);
    }

    /// Asks the connection how it is.
    pub(super) fn status(&self, present: bool) -> impl Future<Output = PeerStatus> + Send + 'static {
        let (sender, round_trip) = oneshot::channel();
        match &self.connection {
            Some((_, handle)) if self.announced => handle.command(Command::RoundTrip(sender)),
            _ => drop(sender),
        }
        let open = self.open.clone().filter(|_| self.announced);
        let status = PeerStatus {
            peer_id: self.key.peer.clone(),
            present,
            state: self.negotiator.state(),
            stage: self.stage,
            pair: open.as_ref().map(|open| open.pair.clone()),
            timings: open.map(|open| open.timings),
            round_trip_ms: None,
        };
        async move { PeerStatus { round_trip_ms: round_trip.await.ok().flatten(), ..status } }
    }
}
