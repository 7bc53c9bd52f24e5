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
    candidates,
    channel::{self, Channel, StallWatch},
    channel_set::{Change, ChannelSet},
    connection::Connection,
    handler::Callback,
    network,
    settings::Settings,
};
use crate::{
    backend::{Command, Context, Event, Open},
    channel::{Channel as AnyChannel, Label},
    limits::{CONNECTION_QUEUE, STALL, STALL_CHECK},
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
    stall: StallWatch,
}

impl Task {
    fn new(settings: Arc<Settings>, context: Context, connection: Connection) -> Self {
        Self {
            settings,
            progress: Progress::new(Instant::now()),
            channels: ChannelSet::new(&connection, context.inbox.clone(), context.key.peer.clone()),
            connection,
            context,
            stall: StallWatch::default(),
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>, mut callbacks: mpsc::Receiver<Callback>) {
        if let Some(label) = self.context.channel {
            match self.connection.create_channel(label).await {
                Ok(channel) => self.channels.read(label, channel),
                Err(error) => self.lost(&format!("no channel can be made: {error}")).await,
            }
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
                _ = look.tick(), if self.channels.sending(Label::Chat).is_some() => {
                    self.connection.measure().await;
                    self.look_for_stall().await;
                }
            }
        }
        self.channels.close(&self.context.leaving).await;
        self.connection.close().await;
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
            Callback::IceConnected => self.ended(Stage::Ice).await,
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
            Some(label) => self.channels.read(label, channel),
            // Nobody would read it, and it would fill the window that all channels share.
            None => channel::close(&*channel).await,
        }
    }

    async fn channel_change(&mut self, change: Change) {
        match change {
            Change::Sending(label, channel) => self.announce(label, channel).await,
            Change::Closed => self.lost("the data channel was closed").await,
            Change::NeverOpen => self.lost("the data channel ended before it was open").await,
            Change::Other => {}
        }
    }

    /// Tells the driver of the channel to send on.
    async fn announce(&mut self, label: Label, channel: Channel) {
        let unknown = || "unknown".to_owned();
        let pair = self.connection.candidate_pair().await;
        let pair = pair.unwrap_or_else(|| CandidatePair { local: unknown(), remote: unknown(), protocol: unknown() });
        let timings = self.progress.timings(Instant::now());
        self.stall = StallWatch::default();
        self.connection.measure().await;
        let open = Open { channel: AnyChannel::Rtc(channel), pair, timings, deliver: self.channels.deliver() };
        self.context.event(Event::Channel { label, open }).await;
    }

    async fn look_for_stall(&mut self) {
        if let Some(channel) = self.channels.sending(Label::Chat)
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
}
