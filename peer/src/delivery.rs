//! What goes to one peer and comes from it as messages, over connections that come and go.
//!
//! It is the [`streams`](grtc_protocol::streams) of a pair with the program at one end and the pair's connection at the other. Nothing
//! here waits but [`Delivery::queue`], for room, and the two tasks: [`Delivery::transmit`], one a connection, and
//! [`Delivery::hand_over`], one a pair. A message counts as taken by the program when it stands in the queue of its events: were it
//! later, two programs that send where they read their events would wait for one another.

mod state;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use grtc_protocol::{
    PeerId,
    streams::{Wants, WriteError, framed},
};
use tokio::{
    sync::{
        Notify,
        mpsc::{self, error::TrySendError},
        watch,
    },
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::state::News;
use self::state::{Place, State};
use crate::{
    event::{Event, Payload, Via},
    limits::{ACKNOWLEDGEMENT_DELAY, MESSAGE_BYTES},
};

/// What a connection is to its streams.
pub(crate) trait Carrier: Send + Sync {
    /// Waits until it takes more. An error is its end.
    fn ready(&self) -> impl Future<Output = Result<(), Refusal>> + Send;
    /// Takes a message.
    fn carry(&self, frames: Vec<u8>) -> impl Future<Output = Result<(), Refusal>> + Send;
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The channel is closed.
    Closed,
    /// The other side takes no message longer than this.
    TooLong(usize),
}

/// The messages of a pair. Made with the pair, and over with it.
pub(crate) struct Delivery {
    from: PeerId,
    inbox: mpsc::Sender<Event>,
    state: Mutex<State>,
    begin: Instant,
    /// One writer after the other, in the order in which they came.
    turn: tokio::sync::Mutex<()>,
    /// There is something to transmit that should not wait.
    data: Notify,
    /// There is something to say of what the program has taken.
    acknowledgements: Notify,
    /// A writer may have room.
    room: Notify,
    /// The program's queue was full, or nothing more comes.
    waiting: Notify,
    /// All that could be transmitted was.
    drained: Notify,
    /// The program knows that the peer is connected: its messages may follow.
    told: watch::Sender<bool>,
}

/// Messages that were handed over.
pub(crate) struct Underway {
    delivery: Arc<Delivery>,
    /// Where the last of them ends; `None` when some of them are lost.
    place: Option<Place>,
}

impl Underway {
    /// Waits until the other side's program has them; whether it has.
    pub(crate) async fn delivered(self) -> bool {
        let Some(place) = self.place else { return false };
        let waiting = self.delivery.lock().wait(place);
        waiting.await.is_ok()
    }
}

impl Delivery {
    /// Of a pair without a connection. What comes goes to `inbox`.
    pub(crate) fn new(from: PeerId, inbox: mpsc::Sender<Event>, rng: &mut fastrand::Rng) -> Arc<Self> {
        Arc::new(Self {
            from,
            inbox,
            state: Mutex::new(State::new(rng.fork())),
            begin: Instant::now(),
            turn: tokio::sync::Mutex::new(()),
            data: Notify::new(),
            acknowledgements: Notify::new(),
            room: Notify::new(),
            waiting: Notify::new(),
            drained: Notify::new(),
            told: watch::Sender::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What lets the messages through to the program.
    pub(crate) fn told(&self) -> watch::Sender<bool> {
        self.told.clone()
    }

    /// Wakes whoever has something to do after a change.
    fn wake(&self, state: &mut State) {
        match state.wants() {
            Wants::Data => self.data.notify_one(),
            Wants::Acknowledgements => self.acknowledgements.notify_one(),
            Wants::Nothing => {}
        }
        if state.has_room_again() {
            self.room.notify_one();
        }
    }

    /// Hands a message over, as soon as there is room for it.
    pub(crate) async fn queue(self: &Arc<Self>, payload: &Payload) -> Result<Underway, Refusal> {
        let bytes = bytes(payload);
        let _turn = self.turn.lock().await;
        loop {
            let written = {
                let mut state = self.lock();
                let written = state.write(self.now(), &bytes);
                self.wake(&mut state);
                written
            };
            match written {
                Ok(place) => return Ok(Underway { delivery: Arc::clone(self), place: Some(place) }),
                Err(WriteError::Full) => self.room.notified().await,
                Err(WriteError::TooLong) => return Err(Refusal::TooLong(MESSAGE_BYTES)),
                Err(WriteError::Ended | WriteError::TooMany) => return Err(Refusal::Closed),
            }
        }
    }

    /// All that was queued until now.
    pub(crate) fn mark(self: &Arc<Self>) -> Underway {
        Underway { delivery: Arc::clone(self), place: self.lock().mark() }
    }

    /// A connection begins; its number, counted from 1.
    pub(crate) fn connected(&self) -> u64 {
        let mut state = self.lock();
        let link = state.connected();
        self.wake(&mut state);
        link
    }

    /// That connection is gone.
    pub(crate) fn disconnected(&self, link: u64) {
        self.lock().disconnected(link);
        self.waiting.notify_one();
        self.drained.notify_waiters();
    }

    /// Takes a message of the connection.
    pub(crate) fn receive(&self, link: u64, message: &[u8]) -> Option<News> {
        let mut state = self.lock();
        let news = state.receive(link, message);
        if *self.told.borrow() {
            self.fill_inbox(&mut state);
        }
        self.wake(&mut state);
        news
    }

    /// Hands over what has come, as far as the program's queue has room. Whether that was all.
    fn fill_inbox(&self, state: &mut State) -> bool {
        loop {
            let room = self.inbox.try_reserve();
            if matches!(room, Err(TrySendError::Full(()))) {
                self.waiting.notify_one();
                return false;
            }
            let Some(payload) = state.next_message(self.now()) else { return true };
            // A program that has dropped its events wants none.
            if let Ok(room) = room {
                room.send(Event::Message { from: self.from.clone(), payload, via: Via::P2p });
            }
        }
    }

    /// Hands over what the program's queue had no room for, until the pair is over and all of it is handed over, or the
    /// program leaves.
    pub(crate) async fn hand_over(self: Arc<Self>, leaving: CancellationToken) {
        let run = async {
            // It has a sender itself.
            let _ = self.told.subscribe().wait_for(|told| *told).await;
            loop {
                // One that is dropped takes everything.
                let _ = self.inbox.reserve().await;
                let over = {
                    let mut state = self.lock();
                    let all = self.fill_inbox(&mut state);
                    self.wake(&mut state);
                    all && state.is_over()
                };
                if over {
                    return;
                }
                self.waiting.notified().await;
            }
        };
        let _ = leaving.run_until_cancelled(run).await;
    }

    /// Sends what there is over this connection, until that ends or another one has taken its place.
    pub(crate) async fn transmit(self: Arc<Self>, link: u64, connection: impl Carrier) {
        loop {
            while self.lock().wants() != Wants::Nothing {
                if connection.ready().await.is_err() {
                    return;
                }
                let Some(frames) = self.lock().transmit(link) else { return };
                let Some(frames) = frames else { break };
                if connection.carry(frames).await.is_err() {
                    return;
                }
            }
            self.drained.notify_waiters();
            tokio::select! {
                () = self.data.notified() => {}
                () = self.acknowledgements.notified() => {
                    // What is about to be sent takes it along.
                    let _ = timeout(ACKNOWLEDGEMENT_DELAY, self.data.notified()).await;
                }
            }
        }
    }

    /// Waits until all that was queued is transmitted, and what the program has is said, or there is no connection.
    pub(crate) async fn transmitted(&self) {
        loop {
            let drained = self.drained.notified();
            self.data.notify_one();
            if !self.lock().is_due() {
                return;
            }
            drained.await;
        }
    }

    /// The pair is over, and so is its last connection.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().is_over()
    }

    /// The pair is over: nothing more is queued. What was still goes over the connection there is, and what comes is still handed
    /// over, if the program was told, or will be, that the peer was connected.
    pub(crate) fn close(&self, announced: bool) {
        self.lock().close();
        if !announced {
            self.told.send_replace(true);
        }
        self.room.notify_one();
        self.waiting.notify_one();
    }
}

/// A message as it is written.
fn bytes(payload: &Payload) -> Vec<u8> {
    match payload {
        Payload::Text(text) => framed(text.as_bytes(), true),
        Payload::Binary(bytes) => framed(bytes, false),
    }
}
