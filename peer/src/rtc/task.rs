//! The task that owns one connection: commands in, events out. It ends, and the connection with it, when its [`Handle`]
//! is dropped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use grtc_protocol::signal::IceCandidate;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use webrtc::{
    data_channel::DataChannel,
    error::Error,
    peer_connection::{RTCIceCandidate, RTCIceCandidateType},
};

use super::{
    Settings,
    channel::{Channel, StallWatch},
    connection::{CHAT, Connection},
    handler::Callback,
    pump::{Activity, FromPump, Note, Pump},
};
use crate::{
    event,
    limits::{
        CHANNEL_CLOSE, CONNECTION_QUEUE, HELD_BYTES, LAST_ACKNOWLEDGEMENT, LONG_GOODBYE, REMOTE_CANDIDATES, STALL,
        STALL_CHECK,
    },
    mesh::PairKey,
    negotiator::{ConnectionNumber, Input},
    report::{CandidatePair, Progress, Stage, Timings},
};

/// What the driver asks of a connection.
pub(crate) enum Command {
    CreateOffer,
    AcceptOffer(String),
    ApplyAnswer(String),
    AddCandidate(Option<IceCandidate>),
    /// The round-trip time in milliseconds is asked for.
    RoundTrip(oneshot::Sender<Option<f64>>),
}

/// What a connection tells the driver.
pub(crate) enum Event {
    /// Something for the pair's negotiator.
    Input(Input),
    /// This phase is under way.
    Stage(Stage),
    /// There is a channel to send on. Once the program knows of it, `deliver` lets its messages follow.
    Open { channel: Channel, pair: CandidatePair, timings: Timings, deliver: watch::Sender<bool> },
}

/// What a connection is made with.
pub(crate) struct Context {
    pub(crate) key: PairKey,
    pub(crate) connection: ConnectionNumber,
    /// Make the channel: this side offers.
    pub(crate) channel: bool,
    pub(crate) settings: Arc<Settings>,
    /// The program leaves the room.
    pub(crate) leaving: CancellationToken,
    /// To the driver.
    pub(crate) events: mpsc::Sender<(PairKey, ConnectionNumber, Event)>,
    /// To the program.
    pub(crate) inbox: mpsc::Sender<event::Event>,
}

/// Dropping it closes the connection.
pub(crate) struct Handle {
    commands: mpsc::Sender<Command>,
}

impl Handle {
    /// Asks for something. A connection that is stuck for hundreds of commands is left to its watchdogs.
    pub(crate) fn command(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::debug!("a connection takes no more commands");
        }
    }
}

/// Makes a connection.
pub(crate) fn open(tracker: &TaskTracker, context: Context) -> Handle {
    let (commands, queue) = mpsc::channel(CONNECTION_QUEUE);
    tracker.spawn(run(context, queue));
    Handle { commands }
}

async fn run(context: Context, mut commands: mpsc::Receiver<Command>) {
    let (sender, callbacks) = mpsc::channel(CONNECTION_QUEUE);
    match Connection::new(&context.settings, sender).await {
        Ok(connection) => Task::new(context, connection).run(commands, callbacks).await,
        Err(error) => {
            let (reason, connection) = (format!("no connection can be made: {error}"), context.connection);
            context.input(Input::ConnectionLost { connection, reason }).await;
            // The driver drops the handle.
            while commands.recv().await.is_some() {}
        }
    }
}

impl Context {
    async fn input(&self, input: Input) {
        self.event(Event::Input(input)).await;
    }

    async fn event(&self, event: Event) {
        // A driver that is gone wants no events.
        let _ = self.events.send((self.key.clone(), self.connection, event)).await;
    }
}

struct Task {
    context: Context,
    connection: Connection,
    progress: Progress,
    /// The stream's name in the local description, which candidates repeat.
    mid: Option<String>,
    remote_candidates: usize,
    to_task: mpsc::Sender<FromPump>,
    from_pumps: mpsc::Receiver<FromPump>,
    deliver: watch::Sender<bool>,
    drain: watch::Sender<bool>,
    activity: Arc<Activity>,
    pumps: JoinSet<()>,
    /// The channels that are open, each with its pump's place. The first is the one to send on.
    open: Vec<(usize, Channel)>,
    stall: StallWatch,
}

impl Task {
    fn new(context: Context, connection: Connection) -> Self {
        let (to_task, from_pumps) = mpsc::channel(CONNECTION_QUEUE);
        Self {
            context,
            connection,
            progress: Progress::new(Instant::now()),
            mid: None,
            remote_candidates: 0,
            to_task,
            from_pumps,
            deliver: watch::Sender::new(false),
            drain: watch::Sender::new(false),
            activity: Arc::default(),
            pumps: JoinSet::new(),
            open: Vec::new(),
            stall: StallWatch::default(),
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>, mut callbacks: mpsc::Receiver<Callback>) {
        if self.context.channel {
            match self.connection.create_channel().await {
                Ok(channel) => self.pump(channel),
                Err(error) => self.lost(&format!("no channel can be made: {error}")).await,
            }
        }
        let mut stall = interval(STALL_CHECK);
        stall.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.command(command).await,
                    None => break,
                },
                Some(callback) = callbacks.recv() => self.callback(callback).await,
                Some((channel, note)) = self.from_pumps.recv() => self.note(channel, note).await,
                _ = stall.tick(), if !self.open.is_empty() => self.look_for_stall().await,
            }
        }
        self.close().await;
    }

    async fn command(&mut self, command: Command) {
        let number = self.context.connection;
        let result = match command {
            Command::CreateOffer => self.connection.create_offer().await.map(|sdp| {
                self.mid = mid(&sdp);
                Input::OfferCreated { connection: number, sdp }
            }),
            Command::AcceptOffer(sdp) => self.connection.accept_offer(sdp).await.map(|sdp| {
                self.mid = mid(&sdp);
                Input::AnswerCreated { connection: number, sdp }
            }),
            Command::ApplyAnswer(sdp) => {
                self.connection.apply_answer(sdp).await.map(|()| Input::AnswerApplied { connection: number })
            }
            Command::AddCandidate(candidate) => return self.add_candidate(candidate).await,
            Command::RoundTrip(answer) => {
                // Whoever asked may have gone.
                let _ = answer.send(self.connection.round_trip_ms().await);
                return;
            }
        };
        self.operation_ended(result).await;
    }

    async fn operation_ended(&mut self, result: Result<Input, Error>) {
        let connection = self.context.connection;
        let input = result.unwrap_or_else(|error| Input::OperationFailed { connection, message: error.to_string() });
        if matches!(input, Input::AnswerCreated { .. } | Input::AnswerApplied { .. }) {
            self.ended(Stage::Signaling).await;
        }
        self.context.input(input).await;
    }

    /// The end of the candidates, null or empty, needs nothing: ICE goes on until a pair is found or given up.
    async fn add_candidate(&mut self, candidate: Option<IceCandidate>) {
        let Some(candidate) = candidate.filter(|candidate| !candidate.candidate.is_empty()) else { return };
        self.remote_candidates += 1;
        if self.remote_candidates > REMOTE_CANDIDATES || candidate.candidate.chars().any(char::is_control) {
            return;
        }
        if self.connection.add_candidate(candidate).await.is_err() {
            tracing::debug!(pair.peer = %self.context.key.peer, "a candidate can't be used");
        }
    }

    async fn callback(&mut self, callback: Callback) {
        match callback {
            Callback::Candidate(None) => self.local_candidate(None).await,
            Callback::Candidate(Some(candidate)) => {
                for candidate in self.variants(candidate) {
                    self.local_candidate(Some(candidate)).await;
                }
            }
            Callback::IceConnected => self.ended(Stage::Ice).await,
            Callback::Connected => self.ended(Stage::Dtls).await,
            Callback::Dead(reason) => self.lost(reason).await,
            Callback::Channel(channel) => self.remote_channel(channel).await,
        }
    }

    async fn local_candidate(&self, candidate: Option<IceCandidate>) {
        self.context.input(Input::LocalCandidate { connection: self.context.connection, candidate }).await;
    }

    /// A local candidate as it is signaled, with a copy for each address to advertise.
    fn variants(&self, candidate: RTCIceCandidate) -> Vec<IceCandidate> {
        let mut variants = vec![candidate];
        if variants.iter().all(|candidate| candidate.typ == RTCIceCandidateType::Host) {
            for ip in &self.context.settings.advertised {
                let mut copy = variants[0].clone();
                if copy.address.contains(':') == ip.is_ipv6() {
                    copy.address = ip.to_string();
                    variants.push(copy);
                }
            }
        }
        let mid = self.mid.as_ref();
        (variants.iter().filter_map(|candidate| candidate.to_json().ok()))
            .map(|json| IceCandidate {
                candidate: json.candidate,
                sdp_mid: mid.cloned(),
                sdp_m_line_index: Some(0),
                username_fragment: None,
            })
            .collect()
    }

    async fn remote_channel(&mut self, channel: Arc<dyn DataChannel>) {
        match channel.label().await {
            Ok(label) if label == CHAT => self.pump(channel),
            // Nobody would read it, and it would fill the window that all channels share.
            _ => Channel::new(channel).close().await,
        }
    }

    async fn note(&mut self, place: usize, note: Note) {
        let sending = self.open.first().map(|(place, _)| *place);
        match note {
            Note::Open(channel) => self.open.push((place, channel)),
            Note::Ended if self.open.iter().any(|(open, _)| *open == place) => {
                self.open.retain(|(open, _)| *open != place);
            }
            Note::Ended => return self.lost("the data channel ended before it was open").await,
        }
        match self.open.first().map(|(place, _)| *place) {
            None => self.lost("the data channel was closed").await,
            now if now != sending => self.announce().await,
            _ => {}
        }
    }

    /// Tells the driver of the channel to send on.
    async fn announce(&mut self) {
        let Some((_, channel)) = self.open.first().cloned() else { return };
        let unknown = || "unknown".to_owned();
        let pair = self.connection.candidate_pair().await;
        let pair = pair.unwrap_or_else(|| CandidatePair { local: unknown(), remote: unknown(), protocol: unknown() });
        let timings = self.progress.timings(Instant::now());
        self.stall = StallWatch::default();
        let deliver = self.deliver.clone();
        self.context.event(Event::Open { channel, pair, timings, deliver }).await;
    }

    async fn look_for_stall(&mut self) {
        if let Some((_, channel)) = self.open.first()
            && self.stall.look(channel).await >= STALL
        {
            self.stall = StallWatch::default();
            self.lost("what was sent is not acknowledged any more").await;
        }
    }

    async fn ended(&mut self, stage: Stage) {
        self.progress.ended(stage, Instant::now());
        self.context.event(Event::Stage(self.progress.stage())).await;
    }

    async fn lost(&self, reason: &str) {
        let (connection, reason) = (self.context.connection, reason.to_owned());
        self.context.input(Input::ConnectionLost { connection, reason }).await;
    }

    /// Reads a channel to its end.
    fn pump(&mut self, channel: Arc<dyn DataChannel>) {
        let pump = Pump {
            place: self.pumps.len(),
            channel,
            notes: self.to_task.clone(),
            deliver: self.deliver.subscribe(),
            drain: self.drain.subscribe(),
            inbox: self.context.inbox.clone(),
            activity: Arc::clone(&self.activity),
            from: self.context.key.peer.clone(),
        };
        self.pumps.spawn(pump.run());
    }

    /// Waits until the program has read what has come and the last of it is acknowledged; a program that leaves the room
    /// reads no more.
    async fn read_out(&mut self) {
        self.drain.send_replace(true);
        let leaving = self.context.leaving.clone();
        tokio::select! {
            () = self.idle() => {}
            () = async { leaving.cancelled().await; sleep(LAST_ACKNOWLEDGEMENT).await } => {}
        }
    }

    /// Waits until no channel has brought anything for so long that it is acknowledged, and the program has it all.
    async fn idle(&mut self) {
        while !self.pumps.is_empty() {
            let wait = self.activity.until_idle(LAST_ACKNOWLEDGEMENT);
            if wait.is_zero() {
                return;
            }
            // Over early when the other side closes first.
            let _ = timeout(wait, self.pumps.join_next()).await;
        }
    }

    /// Lets what has come be read and what was sent be delivered, then closes.
    async fn close(mut self) {
        self.read_out().await;
        if self.open.iter().any(|(_, channel)| channel.sent() > HELD_BYTES as u64) {
            self.pumps_end(LONG_GOODBYE).await;
        }
        for (_, channel) in &self.open {
            channel.close().await;
        }
        if !self.open.is_empty() {
            self.pumps_end(CHANNEL_CLOSE).await;
        }
        self.connection.close().await;
    }

    /// Waits until the channels have ended. One whose other side is gone does not end by itself.
    async fn pumps_end(&mut self, within: Duration) {
        let _ = timeout(within, async { while self.pumps.join_next().await.is_some() {} }).await;
    }
}

/// The first stream's name in a description.
fn mid(sdp: &str) -> Option<String> {
    sdp.lines().find_map(|line| line.strip_prefix("a=mid:")).map(|mid| mid.trim().to_owned())
}
