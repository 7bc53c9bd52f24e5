//! A data channel to send on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::BytesMut;
use webrtc::data_channel::DataChannel;

use crate::event::Payload;

/// An open channel. Clones are the same channel; it ends with its connection, whoever holds one.
#[derive(Clone)]
pub(crate) struct Channel {
    channel: Arc<dyn DataChannel>,
    sent: Arc<AtomicU64>,
}

/// The channel is closed.
#[derive(Debug)]
pub(crate) struct Closed;

impl Channel {
    pub(super) fn new(channel: Arc<dyn DataChannel>) -> Self {
        Self { channel, sent: Arc::default() }
    }

    /// Hands a message over, as soon as there is room for it.
    pub(crate) async fn send(&self, payload: &Payload) -> Result<(), Closed> {
        let sent = match payload {
            Payload::Text(text) => self.channel.send_text(text).await,
            Payload::Binary(bytes) => self.channel.send(BytesMut::from(&bytes[..])).await,
        };
        sent.map_err(|_| Closed)?;
        self.sent.fetch_add(payload.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Bytes that were handed over.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes that were sent and not acknowledged yet.
    pub(crate) async fn outstanding(&self) -> Result<usize, Closed> {
        self.channel.outstanding_bytes().await.map_err(|_| Closed)
    }

    /// Ends the channel, once what was sent is delivered.
    pub(super) async fn close(&self) {
        // One that is closed already is what is wanted.
        let _ = self.channel.close().await;
    }
}

/// Sees whether a channel is wedged: the library can lose the timer that would send lost data again.
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
