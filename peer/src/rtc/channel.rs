//! A data channel to send on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::BytesMut;
use tokio::{
    sync::{Mutex, Notify},
    time::{sleep, timeout},
};
use webrtc::data_channel::DataChannel;

use super::window::Window;
use crate::{
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
    /// One message after the other, in the order in which they came.
    turn: Mutex<()>,
    /// A quarter of the window is free again.
    freed: Notify,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The channel is closed.
    Closed,
    /// The other side takes no message longer than this.
    TooLong(usize),
}

impl Channel {
    /// A channel of a connection with this window.
    pub(super) async fn new(channel: Arc<dyn DataChannel>, window: Arc<Window>) -> Self {
        // One that is closed says so when something is sent.
        let low = u32::try_from(window.low()).unwrap_or(u32::MAX);
        let _ = channel.set_buffered_amount_low_threshold(low).await;
        let (sent, acknowledged) = (AtomicU64::new(0), AtomicBool::new(false));
        let (turn, freed) = (Mutex::new(()), Notify::new());
        Self(Arc::new(Shared { channel, window, sent, acknowledged, turn, freed }))
    }

    /// Hands a message over, as soon as there is room for it.
    pub(crate) async fn send(&self, payload: &Payload) -> Result<(), Refusal> {
        let longest = self.0.window.longest();
        if payload.len() > longest {
            return Err(Refusal::TooLong(longest));
        }
        let _turn = self.0.turn.lock().await;
        self.room(payload.len()).await?;
        let sent = match payload {
            Payload::Text(text) => self.0.channel.send_text(text).await,
            Payload::Binary(bytes) => self.0.channel.send(BytesMut::from(&bytes[..])).await,
        };
        sent.map_err(|_| Refusal::Closed)?;
        self.0.sent.fetch_add(payload.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until a message of this length may be under way.
    async fn room(&self, length: usize) -> Result<(), Refusal> {
        while !self.0.window.admits(self.outstanding().await?, length) {
            // The note of it stands in one queue with the messages that come, which may be full.
            let _ = timeout(ROOM_CHECK, self.0.freed.notified()).await;
        }
        Ok(())
    }

    /// A quarter of the window is free: who waits for room has it.
    pub(super) fn freed(&self) {
        self.0.freed.notify_one();
    }

    /// Bytes that were handed over.
    pub(super) fn sent(&self) -> u64 {
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

/// Ends a channel.
pub(super) async fn close(channel: &dyn DataChannel) {
    // One that is closed already is what is wanted.
    let _ = channel.close().await;
}

/// Sees whether a channel is wedged: the library gives lost data up after its fifth repeat, and says nothing. Can go when it
/// repeats it for ever or ends the channel.
#[derive(Default)]
pub(super) struct StallWatch {
    acknowledged: u64,
    stuck_since: Option<Instant>,
}

impl StallWatch {
    /// For how long data has been under way with none acknowledged.
    pub(super) async fn look(&mut self, channel: &Channel) -> Duration {
        let outstanding = channel.outstanding().await.unwrap_or(0) as u64;
        self.note(channel.sent(), outstanding, Instant::now())
    }

    fn note(&mut self, sent: u64, outstanding: u64, now: Instant) -> Duration {
        let acknowledged = sent.saturating_sub(outstanding);
        if outstanding == 0 || acknowledged > self.acknowledged {
            self.acknowledged = self.acknowledged.max(acknowledged);
            self.stuck_since = None;
            return Duration::ZERO;
        }
        now.saturating_duration_since(*self.stuck_since.get_or_insert(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_channel_that_moves_is_not_stuck() {
        let (mut watch, begin) = (StallWatch::default(), Instant::now());
        for second in 0..30 {
            // As much is sent as is acknowledged: what is outstanding stays the same.
            let stuck = watch.note(1_000 + second * 100, 1_000, begin + Duration::from_secs(second));
            assert!(stuck <= Duration::from_secs(1), "{stuck:?}");
        }
    }

    #[test]
    fn a_channel_without_acknowledgements_is_stuck_until_one_comes() {
        let (mut watch, begin) = (StallWatch::default(), Instant::now());
        let at = |second| begin + Duration::from_secs(second);
        assert_eq!(watch.note(0, 0, at(0)), Duration::ZERO);
        assert_eq!(watch.note(500, 500, at(1)), Duration::ZERO);
        assert_eq!(watch.note(700, 700, at(9)), Duration::from_secs(8));
        assert_eq!(watch.note(700, 600, at(10)), Duration::ZERO);
        assert_eq!(watch.note(700, 600, at(11)), Duration::ZERO);
        assert_eq!(watch.note(700, 600, at(21)), Duration::from_secs(10));
        assert_eq!(watch.note(700, 0, at(22)), Duration::ZERO);
    }
}
