//! One pair: its negotiator, its liveness, the connection that it has now, and what the program was told of it.
//!
//! A pair is over when it is dropped: so is its connection then, and what its machines still had to do.

mod program;

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use grtc_protocol::PeerId;

use super::surroundings::Surroundings;
use crate::{
    backend::{self, Command, Context, Handle, Open, PairKey},
    channel::Label,
    delivery::Delivery,
    event::Event,
    limits::STUCK_DOUBT_MS,
    liveness::{self, Liveness, PairState},
    negotiator::{self, Action, ConnectionNumber, Message, Negotiator, State},
    report::{LocalCause, Stage},
};

/// What others have to know of a pair.
pub(super) enum Output {
    /// For the other side.
    Signal(PeerId, Message),
    /// Messages can be sent.
    Opened(PeerId),
    /// They can't any more, or not yet, and nothing is kept for the other side.
    Lost(PeerId),
    /// Nothing comes from the other side: it may be the network of this one.
    Doubt,
}

pub(super) struct Pair {
    key: PairKey,
    negotiator: Negotiator,
    liveness: Liveness,
    delivery: Arc<Delivery>,
    connection: Option<(ConnectionNumber, Handle)>,
    /// How far any connection came since one was open.
    stage: Option<Stage>,
    /// Why the last connection ended, or none could be made.
    reason: String,
    /// What this machine lacked for the last one, told already.
    lacks: Option<LocalCause>,
    open: Option<Open>,
    /// The program was told that it is connected, and not that this is over.
    announced: bool,
    /// When it was told so last.
    pub(super) announced_at: Option<u64>,
    /// Since when it is not open although it was, if the program was told so.
    interrupted: Option<u64>,
    /// It has streams: messages are kept for the other side while there is no connection, and what comes is handed over.
    keeps_messages: bool,
    /// Since when nothing more than this was acknowledged of what is under way.
    stuck: Option<(u64, u64)>,
}

impl Pair {
    pub(super) fn new(key: PairKey, negotiator: Negotiator, delivery: Arc<Delivery>) -> Self {
        Self {
            key,
            negotiator,
            liveness: Liveness::new(),
            delivery,
            connection: None,
            stage: None,
            reason: String::new(),
            lacks: None,
            open: None,
            announced: false,
            announced_at: None,
            interrupted: None,
            keeps_messages: false,
            stuck: None,
        }
    }

    pub(super) fn key(&self) -> &PairKey {
        &self.key
    }

    /// The program was told of its open channel.
    pub(super) fn is_announced(&self) -> bool {
        self.announced
    }

    /// Gives the negotiator something. [`Pair::poll_output`] does what it says.
    pub(super) fn negotiate(&mut self, now: u64, input: negotiator::Input) {
        if let negotiator::Input::ConnectionLost { connection, reason } = &input
            && self.is_current(*connection)
        {
            self.reason.clone_from(reason);
        }
        self.negotiator.handle(now, input);
    }

    /// Tells the liveness something. [`Pair::poll_output`] does what it says.
    pub(super) fn live(&mut self, now: u64, input: liveness::Input) {
        self.liveness.handle(now, input);
    }

    /// This machine has these addresses now, or it has slept.
    pub(super) fn network_changed(&mut self, now: u64, addresses: &BTreeSet<IpAddr>, slept: bool) {
        let used = self.open.as_ref().and_then(|open| open.address);
        let gone = slept || used.is_some_and(|address| !addresses.contains(&address));
        self.live(now, liveness::Input::Network { gone });
    }

    /// When [`Pair::tick`] is due.
    pub(super) fn poll_timeout(&self) -> Option<u64> {
        self.negotiator.poll_timeout().into_iter().chain(self.liveness.poll_timeout()).min()
    }

    pub(super) fn tick(&mut self, now: u64) {
        self.negotiator.handle(now, negotiator::Input::Tick);
        self.liveness.handle(now, liveness::Input::Tick);
    }

    fn is_current(&self, connection: ConnectionNumber) -> bool {
        self.connection.as_ref().is_some_and(|(current, _)| *current == connection)
    }

    /// Takes what a connection says.
    pub(super) fn event(
        &mut self,
        now: u64,
        connection: ConnectionNumber,
        event: backend::Event,
        around: &mut Surroundings,
    ) {
        if !self.is_current(connection) {
            return;
        }
        match event {
            backend::Event::Input(input) => self.negotiate(now, input),
            backend::Event::Local(cause) => {
                if self.lacks.replace(cause.clone()).as_ref() != Some(&cause) {
                    around.tell(Event::LocalFailure { peer_id: self.key.peer.clone(), cause });
                }
            }
            backend::Event::Stage(stage) => self.stage = self.stage.max(Some(stage)),
            backend::Event::Open(open) => {
                if open.restarted {
                    self.end_announced(around);
                }
                if self.announced && self.liveness.state() == PairState::Open {
                    // Another channel of the same connection.
                    open.deliver.send_replace(true);
                    around.channels.insert(self.key.peer.clone(), open.channel.clone());
                }
                self.open = Some(open);
                self.negotiate(now, negotiator::Input::ChannelOpen { connection });
            }
            backend::Event::Silent => self.live(now, liveness::Input::Silent),
            backend::Event::Heard => self.live(now, liveness::Input::Heard),
            backend::Event::Progress { acknowledged, waiting } => {
                self.stuck = self.stuck.filter(|(last, _)| waiting && *last == acknowledged);
                if waiting {
                    self.stuck.get_or_insert((acknowledged, now));
                }
                self.live(now, liveness::Input::Progress { acknowledged, waiting });
            }
        }
    }

    /// Does what the machines say, up to what others have to know.
    pub(super) fn poll_output(&mut self, now: u64, around: &mut Surroundings) -> Option<Output> {
        if self.stuck.is_some_and(|(_, since)| now >= since + STUCK_DOUBT_MS) {
            self.stuck = None;
            return Some(Output::Doubt);
        }
        loop {
            let output = if let Some(action) = self.negotiator.poll_action() {
                self.act(now, action, around)
            } else {
                let output = self.liveness.poll_output()?;
                self.obey(now, output, around)
            };
            if output.is_some() {
                return output;
            }
        }
    }

    /// Does what the negotiator says.
    fn act(&mut self, now: u64, action: Action, around: &mut Surroundings) -> Option<Output> {
        match action {
            Action::Send(message) => return Some(Output::Signal(self.key.peer.clone(), message)),
            Action::State(state) => {
                if state == State::Connecting && !self.announced {
                    around.tell(Event::Connecting { peer_id: self.key.peer.clone() });
                }
                self.live(now, self.liveness_input(state));
            }
            Action::Open { connection, channel } => self.open(connection, channel, around),
            Action::Close { .. } => return self.close_connection(around),
            Action::Refused { message } => {
                tracing::debug!(peer = %self.key.peer, %message, "a description was refused");
                around.tell(Event::Refused { peer_id: self.key.peer.clone(), message });
            }
            Action::Error { message } => self.reason = message,
            Action::CreateOffer { .. } => self.command(Command::CreateOffer),
            Action::AcceptOffer { sdp, .. } => self.command(Command::AcceptOffer(sdp)),
            Action::ApplyAnswer { sdp, .. } => self.command(Command::ApplyAnswer(sdp)),
            Action::AddCandidate { candidate, .. } => self.command(Command::AddCandidate(candidate)),
        }
        None
    }

    fn liveness_input(&self, state: State) -> liveness::Input {
        match state {
            State::Connecting => liveness::Input::Negotiating,
            State::Connected => liveness::Input::Opened,
            State::Disconnected => liveness::Input::Lost { reason: self.reason.clone() },
            State::Failed => liveness::Input::Failed { reason: self.reason.clone() },
        }
    }

    /// Does what the liveness says.
    fn obey(&mut self, now: u64, output: liveness::Output, around: &mut Surroundings) -> Option<Output> {
        match output {
            liveness::Output::State { state, reason } => {
                return self.enter(now, state, reason.unwrap_or_default(), around);
            }
            liveness::Output::Rebuild { reason } => {
                if let Some((connection, _)) = self.connection {
                    self.negotiate(now, negotiator::Input::ConnectionLost { connection, reason });
                }
            }
            liveness::Output::TryAgain => self.negotiator.handle(now, negotiator::Input::TryAgain),
            liveness::Output::GiveUp { reason } => self.negotiator.handle(now, negotiator::Input::GiveUp { reason }),
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
            delivery: Arc::clone(&self.delivery),
            leaving: around.leaving.clone(),
            events: around.to_driver.clone(),
            inbox: around.inbox.clone(),
        });
        self.connection = Some((connection, handle));
    }

    /// The connection ends; so does what goes over it alone.
    fn close_connection(&mut self, around: &mut Surroundings) -> Option<Output> {
        (self.connection, self.open) = (None, None);
        if self.keeps_messages {
            return None;
        }
        around.channels.remove(&self.key.peer);
        self.end_announced(around);
        Some(Output::Lost(self.key.peer.clone()))
    }

    /// The pair is over.
    pub(super) fn close(&mut self, around: &mut Surroundings) {
        (self.connection, self.open) = (None, None);
        self.delivery.close(self.announced);
        match self.keeps_messages {
            true => around.channels.suspend(&self.key.peer),
            false => around.channels.remove(&self.key.peer),
        }
        self.end_announced(around);
    }
}
