//! The task that owns one connection: commands in, events out. It ends, and the connection with it, when its
//! [`Handle`](crate::backend::Handle) is dropped.

use std::{sync::Arc, time::Instant};

use grtc_protocol::signal::IceCandidate;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use webrtc::{data_channel::DataChannel, error::Error};

use super::{
    candidates, channel,
    channel_set::{Change, ChannelSet},
    connection::Connection,
    handler::Callback,
    network,
    settings::Settings,
};
use crate::{
    backend::{Command, Context, Event, Open},
    channel::{Channel as AnyChannel, Label},
    delivery::News,
    limits::{CONNECTION_QUEUE, STALL_CHECK},
    negotiator::Input,
    report::{CandidatePair, Progress, Stage},
};

/// Makes a connection, and runs until nobody asks anything of it any more.
pub(super) async fn run(settings: Arc<Settings>, context: Context, mut commands: mpsc::Receiver<Command>) {
    let (sender, callbacks) = mpsc::channel(CONNECTION_QUEUE);
    match Connection::new(&settings, sender).await {
        Ok(connection) => Task::new(settings, context, connection).run(commands, callbacks).await,
        Err(error) => {
            if let Some(cause) = network::lacks(&settings.network) {
                context.event(Event::Local(cause)).await;
            }
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
    settings: Arc<Settings>,
    context: Context,
    connection: Connection,
    progress: Progress,
    channels: ChannelSet,
    /// Bytes were under way at the last look.
    waiting: bool,
}

impl Task {
    fn new(settings: Arc<Settings>, context: Context, connection: Connection) -> Self {
        Self {
            settings,
            progress: Progress::new(Instant::now()),
            channels: ChannelSet::new(
                &connection,
                context.inbox.clone(),
                context.key.peer.clone(),
                Arc::clone(&context.delivery),
            ),
            connection,
            context,
            waiting: false,
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>, mut callbacks: mpsc::Receiver<Callback>) {
        if let Some(label) = self.context.channel {
            self.create(label).await;
        }
        let mut look = interval(STALL_CHECK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.command(command).await,
                    None => break,
                },
                Some(callback) = callbacks.recv() => self.callback(callback).await,
                change = self.channels.change() => self.channel_change(change).await,
                _ = look.tick() => self.look().await,
            }
        }
        self.channels.close(&self.context.leaving).await;
        self.connection.close().await;
    }

    async fn create(&mut self, label: Label) {
        match self.connection.create_channel(label).await {
            Ok(channel) => self.channels.read(label, channel),
            Err(error) => self.lost(&format!("no channel can be made: {error}")).await,
        }
    }

    /// What messages go over: streams, if both sides have them.
    fn sending(&self) -> Label {
        if self.connection.streams { Label::Streams } else { Label::Chat }
    }

    async fn command(&mut self, command: Command) {
        let number = self.context.connection;
        let result = match command {
            Command::CreateOffer => {
                let offer = match self.context.stuck {
                    true => self.connection.create_yielding_offer().await,
                    false => self.connection.create_offer().await,
                };
                offer.map(|sdp| Input::OfferCreated { connection: number, sdp })
            }
            Command::AcceptOffer(sdp) => {
                let answer = self.connection.accept_offer(&sdp).await;
                answer.map(|sdp| Input::AnswerCreated { connection: number, sdp })
            }
            Command::ApplyAnswer(sdp) => {
                self.connection.apply_answer(&sdp).await.map(|()| Input::AnswerApplied { connection: number })
            }
            Command::AddCandidate(candidate) => {
                return self.connection.add_candidate(&candidate.unwrap_or_default().candidate).await;
            }
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
        let begins = self.context.channel.is_some() && self.channels.count() == 1;
        if begins && matches!(input, Input::AnswerApplied { .. }) && self.sending() == Label::Streams {
            self.create(Label::Streams).await;
        }
        self.context.input(input).await;
    }

    async fn callback(&mut self, callback: Callback) {
        match callback {
            Callback::Candidate(None) => {
                self.local_candidate(Some(candidates::end(self.connection.stream()))).await;
            }
            Callback::Candidate(Some(candidate)) => {
                for candidate in
                    candidates::signaled(candidate, &self.settings.network.advertised, self.connection.stream())
                {
                    self.local_candidate(Some(candidate)).await;
                }
            }
            Callback::IceConnected => {
                self.context.event(Event::Heard).await;
                self.ended(Stage::Ice).await;
            }
            Callback::IceDisconnected => self.context.event(Event::Silent).await,
            Callback::Connected if self.connection.is_secured().await => self.ended(Stage::Dtls).await,
            Callback::Connected => tracing::debug!("the other side ended the handshake"),
            Callback::Dead(reason) => self.lost(reason).await,
            Callback::Channel(channel) => self.remote_channel(channel).await,
        }
    }

    async fn local_candidate(&self, candidate: Option<IceCandidate>) {
        self.context.input(Input::LocalCandidate { connection: self.context.connection, candidate }).await;
    }

    async fn remote_channel(&mut self, channel: Arc<dyn DataChannel>) {
        match channel.label().await.ok().as_deref().and_then(Label::parse) {
            Some(label) if label != Label::Streams || self.sending() == label => self.channels.read(label, channel),
            // Nobody would read it, and it would fill the window that all channels share.
            _ => channel::close(&*channel).await,
        }
    }

    async fn channel_change(&mut self, change: Change) {
        match change {
            Change::Sending(Label::Chat, channel) if self.sending() == Label::Chat => {
                self.announce(AnyChannel::Rtc(channel), false).await;
            }
            Change::Streams(News::Linked { restarted }) => {
                self.announce(AnyChannel::Streams(Arc::clone(&self.context.delivery)), restarted).await;
            }
            Change::Streams(News::Ended) => self.lost("the other side breaks the rules of streams").await,
            Change::Closed(label) if label == self.sending() => self.lost("the data channel was closed").await,
            Change::NeverOpen => self.lost("the data channel ended before it was open").await,
            Change::Sending(..) | Change::Closed(_) | Change::Other => {}
        }
    }

    /// Tells the driver what messages can be sent on.
    async fn announce(&mut self, channel: AnyChannel, restarted: bool) {
        let unknown = || "unknown".to_owned();
        let (pair, address) = self
            .connection
            .candidate_pair()
            .await
            .unwrap_or_else(|| (CandidatePair { local: unknown(), remote: unknown(), protocol: unknown() }, None));
        let timings = self.progress.timings(Instant::now());
        self.connection.measure().await;
        let open = Open { channel, pair, timings, address, restarted, deliver: self.channels.deliver() };
        self.context.event(Event::Open(open)).await;
    }

    /// Lets the window follow the path, and says how far what was sent is.
    async fn look(&mut self) {
        let Some(channel) = self.channels.sending(self.sending()) else { return };
        self.connection.measure().await;
        let sent = channel.sent();
        let outstanding = channel.outstanding().await.unwrap_or(0) as u64;
        let (acknowledged, waiting) = (sent.saturating_sub(outstanding), outstanding > 0);
        if std::mem::replace(&mut self.waiting, waiting) || waiting {
            self.context.event(Event::Progress { acknowledged, waiting }).await;
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
}
