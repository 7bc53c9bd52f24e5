//! Two who talk, as people do: now and then.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    door::Door,
    frame::{self, TEXT},
    socket::Socket,
};

const BUFFER: usize = 4 * 1024;
/// How often there is a message, whether the one before has come or not.
const EVERY: Duration = Duration::from_millis(4);
/// What is late by so much does not come.
const LATE: Duration = Duration::from_secs(30);

/// A healthy pair.
pub(super) struct Pair {
    from: Socket,
    to: Socket,
}

impl Pair {
    pub(super) async fn join(door: &Door, room: &str) -> anyhow::Result<Self> {
        let to = Socket::join(door, Ipv4Addr::LOCALHOST, room, "to", BUFFER).await?;
        let from = Socket::join(door, Ipv4Addr::LOCALHOST, room, "from", BUFFER).await?;
        Ok(Self { from, to })
    }

    /// How long each message takes, in nanoseconds, sorted, of those that are sent in so much time.
    pub(super) async fn delays(&mut self, time: Duration) -> anyhow::Result<Vec<u32>> {
        let Self { from, to } = self;
        let (start, count) = (Instant::now(), (time.as_secs_f64() / EVERY.as_secs_f64()).ceil().max(1.0) as usize);
        let send = async {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for _ in 0..count {
                ticks.tick().await;
                let sent = start.elapsed().as_nanos();
                let message = format!(r#"{{"type":"message","target_peer_id":"to","data":{{"sent":{sent}}}}}"#);
                from.send(&frame::encode(TEXT, message.as_bytes())).await?;
            }
            from.tend().await
        };
        let receive = async {
            let mut nanos = Vec::with_capacity(count);
            while nanos.len() < count {
                let message = to.next().await?;
                let now = start.elapsed();
                if frame::is(message, "direct_message")? {
                    let sent = frame::number(message, "sent").context("a message without its time")?;
                    let late = now.saturating_sub(Duration::from_nanos(sent));
                    nanos.push(u32::try_from(late.as_nanos()).unwrap_or(u32::MAX));
                }
            }
            anyhow::Ok(nanos)
        };
        let both = timeout(time + LATE, async { tokio::try_join!(send, receive) }).await;
        let ((), mut nanos) = both.with_context(|| format!("the healthy pair waits for more than {LATE:?}"))??;
        nanos.sort_unstable();
        Ok(nanos)
    }
}
