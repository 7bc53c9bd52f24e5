//! The channels of one connection: a pump reads each to its end, and the first that is open is the one to send on.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use grtc_protocol::PeerId;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use webrtc::data_channel::DataChannel;

use super::{
    channel::Channel,
    connection::Connection,
    pump::{Activity, FromPump, Note, Pump},
    runtime::Flow,
    stream_pump::StreamPump,
    window::Window,
};
use crate::{
    channel::Label,
    delivery::{Delivery, News},
    event,
    limits::{CHANNEL_CLOSE, CONNECTION_QUEUE, HELD_BYTES, LAST_ACKNOWLEDGEMENT, LONG_GOODBYE},
};

/// What became of the channels.
pub(super) enum Change {
    /// This is the channel of its kind to send on from now on.
    Sending(Label, Channel),
    /// The pair's streams go over this connection, or have ended.
    Streams(News),
    /// None of that kind is left.
    Closed(Label),
    /// One ended that never opened.
    NeverOpen,
    /// Nothing that matters.
    Other,
}

struct OpenChannel {
    /// Of its pump.
    place: usize,
    label: Label,
    channel: Channel,
}

pub(super) struct ChannelSet {
    window: Arc<Window>,
    flow: Arc<Flow>,
    inbox: mpsc::Sender<event::Event>,
    from: PeerId,
    delivery: Arc<Delivery>,
    to_set: mpsc::Sender<FromPump>,
    from_pumps: mpsc::Receiver<FromPump>,
    deliver: watch::Sender<bool>,
    drain: watch::Sender<bool>,
    activity: Arc<Activity>,
    pumps: JoinSet<()>,
    open: Vec<OpenChannel>,
}

impl ChannelSet {
    /// No channels yet. Their messages go to `inbox`, and those of streams to `delivery`.
    pub(super) fn new(
        connection: &Connection,
        inbox: mpsc::Sender<event::Event>,
        from: PeerId,
        delivery: Arc<Delivery>,
    ) -> Self {
        let (to_set, from_pumps) = mpsc::channel(CONNECTION_QUEUE);
        Self {
            window: connection.window(),
            flow: connection.flow(),
            inbox,
            from,
            delivery,
            to_set,
            from_pumps,
            deliver: watch::Sender::new(false),
            drain: watch::Sender::new(false),
            activity: Arc::default(),
            pumps: JoinSet::new(),
            open: Vec::new(),
        }
    }

    /// What lets the messages through.
    pub(super) fn deliver(&self) -> watch::Sender<bool> {
        self.deliver.clone()
    }

    /// Reads a channel to its end, as one of its kind is read.
    pub(super) fn read(&mut self, label: Label, channel: Arc<dyn DataChannel>) {
        let place = self.pumps.len();
        match label {
            Label::Chat => self.pumps.spawn(self.messages(place, channel).run()),
            Label::Streams => self.pumps.spawn(self.streams(place, channel).run()),
        };
    }

    /// The pump of a channel whose messages are the program's.
    fn messages(&self, place: usize, channel: Arc<dyn DataChannel>) -> Pump {
        Pump {
            place,
            label: Label::Chat,
            channel,
            notes: self.to_set.clone(),
            deliver: self.deliver.subscribe(),
            drain: self.drain.subscribe(),
            inbox: self.inbox.clone(),
            activity: Arc::clone(&self.activity),
            from: self.from.clone(),
            window: Arc::clone(&self.window),
            flow: Arc::clone(&self.flow),
        }
    }

    fn streams(&self, place: usize, channel: Arc<dyn DataChannel>) -> StreamPump {
        StreamPump {
            place,
            channel,
            delivery: Arc::clone(&self.delivery),
            notes: self.to_set.clone(),
            activity: Arc::clone(&self.activity),
            window: Arc::clone(&self.window),
            flow: Arc::clone(&self.flow),
        }
    }

    /// How many channels there were.
    pub(super) fn count(&self) -> usize {
        self.pumps.len()
    }

    /// The channel of this kind to send on.
    pub(super) fn sending(&self, label: Label) -> Option<&Channel> {
        self.open.iter().find(|open| open.label == label).map(|open| &open.channel)
    }

    /// Waits for the next change. Safe to drop and to call again.
    pub(super) async fn change(&mut self) -> Change {
        match self.from_pumps.recv().await {
            Some((place, note)) => self.note(place, note),
            // It has a sender itself.
            None => Change::Other,
        }
    }

    fn note(&mut self, place: usize, note: Note) -> Change {
        match note {
            Note::Open(label, channel) => {
                let first = self.sending(label).is_none();
                self.open.push(OpenChannel { place, label, channel: channel.clone() });
                if first { Change::Sending(label, channel) } else { Change::Other }
            }
            Note::Streams(news) => Change::Streams(news),
            Note::Ended => {
                let Some(ended) = self.open.iter().position(|open| open.place == place) else {
                    return Change::NeverOpen;
                };
                let label = self.open[ended].label;
                let was_first = self.open.iter().position(|open| open.label == label) == Some(ended);
                self.open.remove(ended);
                match self.sending(label) {
                    None => Change::Closed(label),
                    Some(channel) if was_first => Change::Sending(label, channel.clone()),
                    Some(_) => Change::Other,
                }
            }
        }
    }

    /// Waits until the program has read what has come and the last of it is acknowledged; a program that leaves the room
    /// reads no more.
    async fn read_out(&mut self, leaving: &CancellationToken) {
        self.drain.send_replace(true);
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

    /// Lets what has come be read and what was sent be acknowledged, then closes the channels.
    pub(super) async fn close(mut self, leaving: &CancellationToken) {
        // The other side, which may be leaving, says what its program has after it has it.
        let said = async {
            self.delivery.transmitted().await;
            self.delivery.mark().delivered().await
        };
        let _ = timeout(LAST_ACKNOWLEDGEMENT, said).await;
        self.read_out(leaving).await;
        let last = join_all(self.open.iter().map(|open| open.channel.last_acknowledgement()));
        let _ = timeout(LAST_ACKNOWLEDGEMENT, last).await;
        if self.open.iter().any(|open| open.channel.sent() > HELD_BYTES as u64) {
            self.pumps_end(LONG_GOODBYE).await;
        }
        for open in &self.open {
            open.channel.close().await;
        }
        if !self.open.is_empty() {
            self.pumps_end(CHANNEL_CLOSE).await;
        }
    }

    /// Waits until the channels have ended. One whose other side is gone does not end by itself.
    async fn pumps_end(&mut self, within: Duration) {
        let _ = timeout(within, async { while self.pumps.join_next().await.is_some() {} }).await;
    }
}
