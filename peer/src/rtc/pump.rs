//! Reads one channel of messages to its end: they go straight to the program, the rest to the connection's task.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::{channel::Channel, runtime::Flow, window::Window};
use crate::{
    channel::Label,
    delivery::News,
    event::{self, Payload, Via},
    limits::HELD_BYTES,
};

/// What a pump tells its task.
pub(super) enum Note {
    Open(Label, Channel),
    /// The streams of the pair go over this channel; or they have ended.
    Streams(News),
    Ended,
}

/// A note, and the place of the pump that it comes from.
pub(super) type FromPump = (usize, Note);

/// What the pumps of a connection are at.
#[derive(Debug, Default)]
pub(super) struct Activity(Mutex<Reading>);

#[derive(Debug, Default)]
struct Reading {
    /// Messages that wait for the program.
    waiting: usize,
    /// When the last message came, or was taken by the program.
    last: Option<Instant>,
}

impl Activity {
    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came that does not wait here.
    pub(super) fn came(&self) {
        self.note(|_| {});
    }

    fn note(&self, change: impl Fn(&mut Reading)) {
        let mut reading = self.lock();
        change(&mut reading);
        reading.last = Some(Instant::now());
    }

    /// How long it takes at least until nothing has come for so long, or waits for the program. Zero when it is so.
    pub(super) fn until_idle(&self, quiet: Duration) -> Duration {
        let reading = self.lock();
        match (reading.waiting, reading.last) {
            (0, Some(last)) => quiet.saturating_sub(last.elapsed()),
            (0, None) => Duration::ZERO,
            _ => quiet,
        }
    }
}

/// Reads one channel.
pub(super) struct Pump {
    pub(super) place: usize,
    pub(super) label: Label,
    pub(super) channel: Arc<dyn DataChannel>,
    pub(super) notes: mpsc::Sender<FromPump>,
    /// The program knows of the channel: messages may follow.
    pub(super) deliver: watch::Receiver<bool>,
    /// The connection is about to close: the library would lose what is not taken from it before.
    pub(super) drain: watch::Receiver<bool>,
    pub(super) inbox: mpsc::Sender<event::Event>,
    pub(super) activity: Arc<Activity>,
    pub(super) from: grtc_protocol::PeerId,
    pub(super) window: Arc<Window>,
    pub(super) flow: Arc<Flow>,
}

/// Events taken in a row after which the library may hold some back ([`Flow::kick`]): less than the 256 that it queues.
const HELD_BACK: usize = 64;

/// A channel's events.
pub(super) struct Reader {
    channel: Arc<dyn DataChannel>,
    flow: Arc<Flow>,
    /// Since the last kick.
    taken: usize,
}

impl Reader {
    pub(super) fn new(channel: Arc<dyn DataChannel>, flow: Arc<Flow>) -> Self {
        Self { channel, flow, taken: 0 }
    }

    /// The next event. Safe to drop and to call again.
    pub(super) async fn next(&mut self) -> Option<DataChannelEvent> {
        let event = {
            let next = self.channel.poll();
            tokio::pin!(next);
            match futures_util::poll!(next.as_mut()) {
                Poll::Ready(event) => event,
                Poll::Pending => {
                    // The queue is empty.
                    if self.taken >= HELD_BACK {
                        self.taken = 0;
                        self.flow.kick();
                    }
                    next.await
                }
            }
        };
        self.taken += 1;
        event
    }
}

impl Pump {
    /// Runs until the channel has ended and the program has taken all that came over it. While the program does not read,
    /// no more than [`HELD_BYTES`] are taken from the channel, so that the other side waits with it.
    #[allow(clippy::too_many_lines, reason = "one loop, whose branches share what is held")]
    pub(super) async fn run(mut self) {
        let (mut held, mut bytes) = (VecDeque::new(), 0);
        // The library lets the end of a channel overtake messages that it holds back: it is read on while any are held. Can go
        // when it keeps their order.
        let (mut closed, mut ended) = (false, false);
        let mut reader = Reader::new(Arc::clone(&self.channel), Arc::clone(&self.flow));
        let mut sending: Option<Channel> = None;
        while !closed || !held.is_empty() {
            let (deliver, drain) = (*self.deliver.borrow_and_update(), *self.drain.borrow_and_update());
            tokio::select! {
                biased;
                permit = self.inbox.reserve(), if deliver && !held.is_empty() => {
                    let Some(payload) = held.pop_front() else { continue };
                    bytes -= size(&payload);
                    // A program that has dropped its events wants none.
                    if let Ok(permit) = permit {
                        permit.send(event::Event::Message { from: self.from.clone(), payload, via: Via::P2p });
                    }
                    self.activity.note(|reading| reading.waiting -= 1);
                }
                event = reader.next(), if !ended && (bytes < HELD_BYTES || drain || closed) => match event {
                    Some(DataChannelEvent::OnOpen) => {
                        let channel = Channel::new(Arc::clone(&self.channel), Arc::clone(&self.window));
                        sending = Some(channel.clone());
                        self.note(Note::Open(self.label, channel)).await;
                    }
                    Some(DataChannelEvent::OnBufferedAmountLow) => {
                        if let Some(channel) = &sending {
                            channel.freed();
                        }
                    }
                    Some(DataChannelEvent::OnMessage(message)) => {
                        self.activity.note(|reading| reading.waiting += 1);
                        let payload = match message.is_string {
                            true => Payload::Text(String::from_utf8_lossy(&message.data).into_owned()),
                            false => Payload::Binary(message.data.freeze()),
                        };
                        bytes += size(&payload);
                        held.push_back(payload);
                    }
                    Some(DataChannelEvent::OnClose) => closed = true,
                    None => (closed, ended) = (true, true),
                    Some(_) => {}
                },
                // The task goes last: it has set both by then.
                Ok(()) = self.deliver.changed(), if !deliver => {}
                Ok(()) = self.drain.changed(), if !drain => {}
            }
        }
        self.note(Note::Ended).await;
    }

    async fn note(&self, note: Note) {
        // A task that is gone has closed the connection.
        let _ = self.notes.send((self.place, note)).await;
    }
}

/// What a held message takes. An empty one takes something too.
fn size(payload: &Payload) -> usize {
    payload.len() + size_of::<Payload>()
}
