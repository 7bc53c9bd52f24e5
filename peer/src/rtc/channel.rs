//! A data channel to send on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use grtc_protocol::streams::PIECE_BYTES;
use tokio::{
    sync::{Mutex, Notify},
    time::{sleep, timeout},
};
use webrtc::data_channel::DataChannel;

use super::window::{Follow, Look, Window, low};
use crate::{
    delivery::{Carrier, Refusal},
    event::Payload,
    limits::{FLUSH_CHECK, ROOM_CHECK},
};

/// An open channel. Clones are the same channel; it ends with its connection, whoever holds one.
#[derive(Clone)]
pub(crate) struct Channel(Arc<Shared>);

struct Shared {
    channel: Arc<dyn DataChannel>,
    window: Arc<Window>,
    sent: AtomicU64,
    /// All of it was acknowledged when the channel was to be closed.
    acknowledged: AtomicBool,
    /// One message after the other, in the order in which they came; and how much may be under way.
    turn: Mutex<Follow>,
    /// With so much under way the library says that a part of the window is free.
    threshold: AtomicUsize,
    /// A part of the window is free again.
    freed: Notify,
}

impl Channel {
    /// A channel of a connection with this window.
    pub(super) fn new(channel: Arc<dyn DataChannel>, window: Arc<Window>) -> Self {
        let (sent, acknowledged) = (AtomicU64::new(0), AtomicBool::new(false));
        let (turn, threshold, freed) = (Mutex::default(), AtomicUsize::new(0), Notify::new());
        Self(Arc::new(Shared { channel, window, sent, acknowledged, turn, threshold, freed }))
    }

    /// Hands a message over, as soon as there is room for it.
    pub(crate) async fn send(&self, payload: &Payload) -> Result<(), Refusal> {
        let longest = self.0.window.longest();
        if payload.len() > longest {
            return Err(Refusal::TooLong(longest));
        }
        let mut follow = self.0.turn.lock().await;
        self.room(&mut follow, payload.len()).await?;
        // Before it goes: the acknowledgement may be back before this task runs again.
        let now = Instant::now();
        let sent = match payload {
            Payload::Text(text) => self.0.channel.send_text(text).await,
            Payload::Binary(bytes) => self.0.channel.send(BytesMut::from(&bytes[..])).await,
        };
        sent.map_err(|_| Refusal::Closed)?;
        self.handed_over(&mut follow, now, payload.len());
        Ok(())
    }

    fn handed_over(&self, follow: &mut Follow, now: Instant, length: usize) {
        follow.hands_over(now, length);
        self.0.sent.store(follow.sent(), Ordering::Relaxed);
    }

    /// Waits until a message of this length may be under way.
    async fn room(&self, follow: &mut Follow, length: usize) -> Result<(), Refusal> {
        loop {
            let outstanding = self.outstanding().await?;
            let acknowledged = follow.sent().saturating_sub(outstanding as u64);
            follow.look(Instant::now(), Look { acknowledged, most: self.0.window.most() });
            if self.0.window.admits(follow.bytes(), outstanding, length) {
                return Ok(());
            }
            follow.waits();
            self.say_when_freed(low(follow.bytes())).await;
            // The note of it stands in one queue with the messages that come, which may be full.
            let _ = timeout(ROOM_CHECK, self.0.freed.notified()).await;
        }
    }

    /// Has the library say when no more than this is under way.
    async fn say_when_freed(&self, low: usize) {
        if self.0.threshold.swap(low, Ordering::Relaxed) != low {
            // One that is closed says so when something is sent.
            let _ = self.0.channel.set_buffered_amount_low_threshold(u32::try_from(low).unwrap_or(u32::MAX)).await;
        }
    }

    /// A part of the window is free: who waits for room has it.
    pub(super) fn freed(&self) {
        self.0.freed.notify_one();
    }

    /// Bytes that were handed over.
    pub(crate) fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Bytes that were sent and not acknowledged yet; of a channel that was closed after all was, none.
    pub(crate) async fn outstanding(&self) -> Result<usize, Refusal> {
        match self.0.channel.outstanding_bytes().await {
            Ok(bytes) => Ok(bytes),
            Err(_) if self.0.acknowledged.load(Ordering::Relaxed) => Ok(0),
            Err(_) => Err(Refusal::Closed),
        }
    }

    /// Waits until so many bytes of what was handed over are acknowledged.
    pub(crate) async fn acknowledged(&self, bytes: u64) -> Result<(), Refusal> {
        loop {
            // What is handed over meanwhile is under way at most.
            let sent = self.sent();
            if sent.saturating_sub(self.outstanding().await? as u64) >= bytes {
                return Ok(());
            }
            sleep(FLUSH_CHECK).await;
        }
    }

    /// Waits until what was sent is acknowledged: who waits for that learns it of a closed channel too.
    pub(super) async fn last_acknowledgement(&self) {
        while let Ok(bytes) = self.outstanding().await {
            if bytes == 0 {
                return self.0.acknowledged.store(true, Ordering::Relaxed);
            }
            sleep(FLUSH_CHECK).await;
        }
    }

    /// Ends the channel, once what was sent is delivered.
    pub(super) async fn close(&self) {
        close(&*self.0.channel).await;
    }
}

impl Carrier for Channel {
    async fn ready(&self) -> Result<(), Refusal> {
        let mut follow = self.0.turn.lock().await;
        self.room(&mut follow, PIECE_BYTES).await
    }

    async fn carry(&self, frames: Vec<u8>) -> Result<(), Refusal> {
        let mut follow = self.0.turn.lock().await;
        let (now, length) = (Instant::now(), frames.len());
        self.0.channel.send(BytesMut::from(Bytes::from(frames))).await.map_err(|_| Refusal::Closed)?;
        self.handed_over(&mut follow, now, length);
        Ok(())
    }
}

/// Ends a channel.
pub(super) async fn close(channel: &dyn DataChannel) {
    // One that is closed already is what is wanted.
    let _ = channel.close().await;
}
