//! How much may be under way on a path, by how long acknowledgements take. Pure: no clock, no channel.
//!
//! What is under way fills the path and then queues, somewhere between here and there. A queue that overflows costs a round
//! trip for each packet lost, so that this is for a queue of [`QUEUE_DELAY`] and no more: the rate that the path was seen to
//! carry, times its shortest round trip and that much. A process that waits for a processor delays acknowledgements as well:
//! that takes nothing from the rate that was seen a moment before, and hence little from what may be under way.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::limits::{
    BASE_MEMORY, MARK_BYTES, MARK_TIME, MARKS, QUEUE_DELAY, RATE_MEMORY, SEND_BUFFER_BYTES, STILL, WINDOW_LEAST_BYTES,
};

/// What is known when somebody looks.
#[derive(Clone, Copy, Debug)]
pub(in crate::rtc) struct Look {
    /// Bytes of all that was handed over and is acknowledged.
    pub(in crate::rtc) acknowledged: u64,
    /// What may be under way at most.
    pub(in crate::rtc) most: usize,
}

/// Some bytes that were handed over within a millisecond, the first of them at this time.
#[derive(Clone, Copy, Debug)]
struct Mark {
    begin: u64,
    end: u64,
    at: Instant,
    /// What was acknowledged at that time, since when, and when that had been handed over.
    before: Point,
}

impl Mark {
    fn goes_on(&self, now: Instant) -> bool {
        self.end - self.begin < MARK_BYTES && now.saturating_duration_since(self.at) < MARK_TIME
    }
}

#[derive(Clone, Copy, Debug)]
struct Point {
    acknowledged: u64,
    at: Instant,
    sent_at: Instant,
}

/// The best rate of a time that is over and of the one after it, in bytes a second.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    since: Option<Instant>,
    before: f64,
    now: f64,
}

impl Rate {
    fn note(&mut self, now: Instant, span: Duration, rate: f64) {
        if now.saturating_duration_since(*self.since.get_or_insert(now)) > span {
            (self.since, self.before, self.now) = (Some(now), self.now, 0.0);
        }
        self.now = self.now.max(rate);
    }

    fn best(&self) -> f64 {
        self.before.max(self.now)
    }
}

/// What was seen since what may be under way has changed.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    /// When so much is acknowledged, what follows was sent as it is now.
    settled: u64,
    /// Where it ends, once it is settled.
    end: Option<u64>,
    /// Somebody had to wait for room.
    waited: bool,
    /// The shortest time that an acknowledgement took: at most, since it was seen late, and at least.
    delay: Option<(Duration, Duration)>,
    rate: f64,
}

/// One for each channel.
#[derive(Debug)]
pub(in crate::rtc) struct Follow {
    bytes: usize,
    sent: u64,
    marks: VecDeque<Mark>,
    /// What is acknowledged.
    point: Option<Point>,
    /// Since when nothing has moved.
    still: Option<Instant>,
    looked: Option<Instant>,
    /// The shortest round trip, as far as it is known, and when one as short was seen last.
    base: Option<Duration>,
    base_seen: Option<Instant>,
    rate: Rate,
    round: Round,
    /// Rounds since the rate has grown.
    flat: u8,
    /// What may be under way again once the shortest round trip is looked for, which takes an empty queue.
    looking: Option<usize>,
}

impl Default for Follow {
    fn default() -> Self {
        Self {
            bytes: SEND_BUFFER_BYTES,
            sent: 0,
            marks: VecDeque::new(),
            point: None,
            still: None,
            looked: None,
            base: None,
            base_seen: None,
            rate: Rate::default(),
            round: Round::default(),
            flat: 0,
            looking: None,
        }
    }
}

impl Follow {
    /// What may be under way.
    pub(in crate::rtc) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that were handed over.
    pub(in crate::rtc) fn sent(&self) -> u64 {
        self.sent
    }

    /// Somebody waits for room.
    pub(in crate::rtc) fn waits(&mut self) {
        self.round.waited = true;
    }

    /// So many bytes more are handed over.
    pub(in crate::rtc) fn hands_over(&mut self, now: Instant, length: usize) {
        let pause = self.base().max(PAUSE);
        let point = self.point.get_or_insert(Point { acknowledged: 0, at: now, sent_at: now });
        if point.acknowledged == self.sent {
            if now.saturating_duration_since(point.sent_at) > pause {
                // Nothing was under way for a while: all that may be would come to the path at once, and not as fast as it carries.
                self.bytes = self.bytes.min(SEND_BUFFER_BYTES.max(self.bytes / 2));
            }
            (point.at, point.sent_at) = (now, now);
            self.still = Some(now);
        }
        let before = *point;
        let (begin, full) = (self.sent, self.marks.len() >= MARKS);
        self.sent += length as u64;
        match self.marks.back_mut() {
            Some(mark) if full || mark.goes_on(now) => mark.end = self.sent,
            _ => self.marks.push_back(Mark { begin, end: self.sent, at: now, before }),
        }
    }

    /// Somebody has looked at what is acknowledged.
    pub(in crate::rtc) fn look(&mut self, now: Instant, look: Look) {
        let Some(point) = self.point else {
            self.bytes = SEND_BUFFER_BYTES.min(look.most);
            return;
        };
        if look.acknowledged > point.acknowledged {
            self.still = Some(now);
            self.moved(now, look.acknowledged, point);
        } else if look.acknowledged < self.sent {
            self.stands_still(now);
        }
        self.looked = Some(now);
        if look.acknowledged >= self.round.end.unwrap_or(self.round.settled) {
            match self.round.end {
                None => self.round.end = Some(self.sent),
                Some(_) => {
                    self.ends(now);
                    self.round.settled = self.sent.max(look.acknowledged + self.bytes.min(look.most) as u64);
                }
            }
        }
        self.bytes = self.bytes.clamp(WINDOW_LEAST_BYTES.min(look.most), look.most);
    }

    fn moved(&mut self, now: Instant, acknowledged: u64, before: Point) {
        // The one that what is new ends in.
        let mut mark = None;
        while let Some(&begun) = self.marks.front()
            && (begun.begin + LEEWAY < acknowledged || begun.end <= acknowledged)
        {
            mark = Some(begun);
            if begun.end > acknowledged {
                break;
            }
            self.marks.pop_front();
        }
        let sent_at = mark.map_or(before.sent_at, |mark| mark.at);
        self.point = Some(Point { acknowledged, at: now, sent_at });
        let Some(mark) = mark else { return };
        let most = now.saturating_duration_since(mark.at);
        let least = self.looked.map_or(Duration::ZERO, |looked| looked.saturating_duration_since(mark.at));
        let base = self.base.map_or(most, |base| base.min(most));
        self.base = Some(base);
        if self.base_seen.is_none() || most <= base + slack(base) / 4 {
            self.base_seen = Some(now);
        }
        // Neither acknowledgements that come at once nor a burst make the path faster than it is.
        let took = now.saturating_duration_since(mark.before.at);
        let took = took.max(mark.at.saturating_duration_since(mark.before.sent_at)).max(base);
        let rate = (acknowledged - mark.before.acknowledged) as f64 / took.as_secs_f64().max(1e-6);
        self.round.rate = self.round.rate.max(rate);
        if self.round.end.is_some() {
            let delay = self.round.delay.get_or_insert((most, least));
            *delay = (delay.0.min(most), delay.1.min(least));
        }
    }

    /// Nothing is acknowledged: what was known of the path is of no use.
    fn stands_still(&mut self, now: Instant) {
        let still = *self.still.get_or_insert(now);
        if now.saturating_duration_since(still) > STILL.max(4 * self.base()) {
            self.bytes /= 2;
            self.still = Some(now);
            self.rate = Rate::default();
        }
    }

    fn base(&self) -> Duration {
        self.base.unwrap_or_default()
    }

    /// The end of a round.
    fn ends(&mut self, now: Instant) {
        let base = self.base();
        let round = std::mem::take(&mut self.round);
        let known = self.rate.best();
        if round.waited || round.rate > known {
            self.rate.note(now, RATE_MEMORY.max(8 * base), round.rate);
        }
        self.flat = if round.rate > known * 1.25 { 0 } else { self.flat.saturating_add(1) };
        if let Some(bytes) = self.looking.take() {
            self.bytes = bytes;
            (self.base, self.base_seen) = (round.delay.map(|(most, _)| most), Some(now));
            return;
        }
        let (Some((_, least)), true) = (round.delay, round.waited) else { return };
        self.follow(base, least);
        if now.saturating_duration_since(self.base_seen.unwrap_or(now)) > BASE_MEMORY {
            self.looking = Some(self.bytes);
            self.bytes = carried(self.rate.best(), base.mul_f64(0.75)).min(self.bytes / 2);
        }
    }

    /// What may be under way, when acknowledgements took so long at least in a round.
    fn follow(&mut self, base: Duration, least: Duration) {
        let (slack, now) = (slack(base), self.bytes);
        let target = carried(self.rate.best(), base + slack);
        if target > now {
            // Not by more than what all of it would queue: a rate that was seen too high does not overflow a queue at once.
            let factor = (base + slack).as_secs_f64() / base.as_secs_f64().max(1e-6);
            self.bytes = target.min(carried(now as f64, Duration::from_secs_f64(factor.min(2.0))));
        } else if least > base + slack && self.flat >= FLAT {
            self.bytes = target.max(now / 2);
        }
    }
}

/// What is carried at this rate in this time.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no bytes are as many, and none are negative"
)]
fn carried(rate: f64, time: Duration) -> usize {
    (rate * time.as_secs_f64()) as usize
}

/// The library's count of what is acknowledged is ahead by some of its own bytes.
const LEEWAY: u64 = 256;
/// Who sends nothing for so long does not only wait for a processor.
const PAUSE: Duration = Duration::from_millis(2);
/// Rounds without a better rate after which it is taken for all that the path carries.
const FLAT: u8 = 3;

/// How long the queue may make a round trip.
fn slack(base: Duration) -> Duration {
    QUEUE_DELAY.max(base / 4)
}
