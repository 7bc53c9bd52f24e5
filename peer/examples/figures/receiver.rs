//! The other process: notes what comes, and tells at each end.

use std::time::{Duration, Instant};

use grtc_peer::{Event, PeerId};
use serde::{Deserialize, Serialize};

use crate::join;

/// The message that ends a round.
pub(crate) const END: &str = "end";

/// A message of 64 bytes, which is answered with itself.
pub(crate) const PING: &str = "a ping which comes back as it is, and has sixty-four bytes in it";

/// What came since the last end.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) bytes: usize,
    pub(crate) seconds: f64,
    /// The longest time between two messages.
    pub(crate) pause_ms: f64,
    #[serde(skip)]
    first: Option<Instant>,
    #[serde(skip)]
    last: Option<Instant>,
}

impl Round {
    fn note(&mut self, bytes: usize) {
        let now = Instant::now();
        let pause = self.last.map_or(Duration::ZERO, |last| now - last);
        self.pause_ms = self.pause_ms.max(pause.as_secs_f64() * 1_000.0);
        self.seconds = (now - *self.first.get_or_insert(now)).as_secs_f64();
        self.last = Some(now);
        self.bytes += bytes;
    }
}

/// Answers each end, until the other side goes.
pub(crate) async fn run(server: String) -> anyhow::Result<()> {
    let (peer, mut events) = join(&server, "figures").await?;
    let mut round = Round::default();
    while let Some(event) = events.next().await {
        match event {
            Event::Message { from, payload, .. } if payload.as_text() == Some(END) => {
                answer(&peer, &from, &std::mem::take(&mut round)).await?;
            }
            Event::Message { from, payload, .. } if payload.as_text() == Some(PING) => {
                drop(peer.queue(&from, PING).await?);
            }
            Event::Message { payload, .. } => round.note(payload.len()),
            Event::Disconnected { .. } => break,
            _ => {}
        }
    }
    peer.leave().await;
    Ok(())
}

async fn answer(peer: &grtc_peer::Peer, to: &PeerId, round: &Round) -> anyhow::Result<()> {
    // Who asked sees whether it comes.
    drop(peer.queue(to, serde_json::to_string(round)?).await?);
    Ok(())
}
