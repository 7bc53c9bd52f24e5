//! Reads one channel to its end: messages go straight to the program, the rest to the connection's task.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::{mpsc, watch};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::channel::Channel;
use crate::event::{self, Payload, Via};

/// What a pump tells its task.
pub(super) enum Note {
    Open(Channel),
    Ended,
}

/// A note, and the place of the pump that it comes from.
pub(super) type FromPump = (usize, Note);

/// Reads one channel.
pub(super) struct Pump {
    pub(super) place: usize,
    pub(super) channel: Arc<dyn DataChannel>,
    pub(super) notes: mpsc::Sender<FromPump>,
    pub(super) deliver: watch::Receiver<bool>,
    pub(super) inbox: mpsc::Sender<event::Event>,
    pub(super) last_message: Arc<Mutex<Option<Instant>>>,
    pub(super) from: grtc_protocol::PeerId,
}

impl Pump {
    /// Runs until the channel ends.
    pub(super) async fn run(mut self) {
        while let Some(event) = self.channel.poll().await {
            match event {
                DataChannelEvent::OnOpen => self.note(Note::Open(Channel::new(Arc::clone(&self.channel)))).await,
                DataChannelEvent::OnMessage(message) => {
                    *self.last_message.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    let payload = match message.is_string {
                        true => Payload::Text(String::from_utf8_lossy(&message.data).into_owned()),
                        false => Payload::Binary(message.data.freeze()),
                    };
                    self.deliver(payload).await;
                }
                DataChannelEvent::OnClose => break,
                _ => {}
            }
        }
        self.note(Note::Ended).await;
    }

    /// Waits while the program does not read, and the other side with it.
    async fn deliver(&mut self, payload: Payload) {
        if self.deliver.wait_for(|deliver| *deliver).await.is_ok() {
            let message = event::Event::Message { from: self.from.clone(), payload, via: Via::P2p };
            // A program that has dropped its events wants none.
            let _ = self.inbox.send(message).await;
        }
    }

    async fn note(&self, note: Note) {
        // A task that is gone has closed the connection.
        let _ = self.notes.send((self.place, note)).await;
    }
}
