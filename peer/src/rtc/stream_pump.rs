//! Reads one channel of streams to its end, and sends what they have to send on it.

use std::sync::Arc;

use tokio::{sync::mpsc, task::JoinSet};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::{
    channel::Channel,
    pump::{Activity, FromPump, Note, Reader},
    runtime::Flow,
    window::Window,
};
use crate::{channel::Label, delivery::Delivery};

pub(super) struct StreamPump {
    pub(super) place: usize,
    pub(super) channel: Arc<dyn DataChannel>,
    pub(super) delivery: Arc<Delivery>,
    pub(super) notes: mpsc::Sender<FromPump>,
    pub(super) activity: Arc<Activity>,
    pub(super) window: Arc<Window>,
    pub(super) flow: Arc<Flow>,
}

/// The channel to send on, and its number among the pair's.
struct Open {
    link: u64,
    channel: Channel,
    /// Sends on it. Ends when it is dropped.
    _transmitting: JoinSet<()>,
}

impl StreamPump {
    /// Runs until the channel has ended. What comes is taken at once: who sends it keeps to what it was granted.
    pub(super) async fn run(self) {
        let mut reader = Reader::new(Arc::clone(&self.channel), Arc::clone(&self.flow));
        let mut open: Option<Open> = None;
        loop {
            let event = match reader.next().await {
                None | Some(DataChannelEvent::OnClose) => break,
                Some(event) => event,
            };
            if open.is_none() && matches!(event, DataChannelEvent::OnOpen | DataChannelEvent::OnMessage(_)) {
                let begun = self.begin();
                self.note(Note::Open(Label::Streams, begun.channel.clone())).await;
                open = Some(begun);
            }
            match (event, &open) {
                (DataChannelEvent::OnMessage(message), Some(Open { link, .. })) => {
                    self.activity.came();
                    if let Some(news) = self.delivery.receive(*link, &message.data) {
                        self.note(Note::Streams(news)).await;
                    }
                }
                (DataChannelEvent::OnBufferedAmountLow, Some(Open { channel, .. })) => channel.freed(),
                _ => {}
            }
        }
        if let Some(Open { link, .. }) = open {
            self.delivery.disconnected(link);
        }
        self.note(Note::Ended).await;
    }

    fn begin(&self) -> Open {
        let channel = Channel::new(Arc::clone(&self.channel), Arc::clone(&self.window));
        let link = self.delivery.connected();
        let mut transmitting = JoinSet::new();
        transmitting.spawn(Arc::clone(&self.delivery).transmit(link, channel.clone()));
        Open { link, channel, _transmitting: transmitting }
    }

    async fn note(&self, note: Note) {
        // A task that is gone has closed the connection.
        let _ = self.notes.send((self.place, note)).await;
    }
}
