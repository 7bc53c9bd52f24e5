//! Who shows bad tokens again and again has to wait, ever longer. Pure: the time is an argument.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};

use jiff::Timestamp;

/// Bad tokens within [`WINDOW`] that cost nothing but the refusal.
const FREE: usize = 10;
const WINDOW: Duration = Duration::from_secs(5 * 60);
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// Senders that are remembered; beyond that the one that was heard of first is forgotten.
const SENDERS: usize = 10_000;

/// The bad tokens of each sender `K`.
pub(crate) struct Failures<K> {
    by_sender: HashMap<K, Sender>,
    /// In the order in which they were first heard of.
    order: VecDeque<K>,
}

#[derive(Default)]
struct Sender {
    /// When each was shown, of the last ones.
    failed: VecDeque<Timestamp>,
    /// How often it has waited.
    waits: u32,
    until: Option<Timestamp>,
}

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self { by_sender: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Clone + Eq + Hash> Failures<K> {
    /// Somebody has shown a bad token. Gives how long it has to wait before the next one is looked at; nothing if this one
    /// may be answered for what it is.
    pub(crate) fn failed(&mut self, sender: &K, now: Timestamp) -> Option<Duration> {
        if !self.by_sender.contains_key(sender) {
            self.make_room(now);
            self.order.push_back(sender.clone());
        }
        self.by_sender.entry(sender.clone()).or_default().failed(now)
    }

    fn make_room(&mut self, now: Timestamp) {
        while let Some(first) = self.order.front() {
            let is_over = self.by_sender.get(first).is_none_or(|sender| sender.is_over(now));
            if !is_over && self.order.len() < SENDERS {
                return;
            }
            self.by_sender.remove(first);
            self.order.pop_front();
        }
    }
}

impl Sender {
    fn failed(&mut self, now: Timestamp) -> Option<Duration> {
        let left = |until: Timestamp| Duration::try_from(until.duration_since(now)).ok().filter(|left| !left.is_zero());
        if let Some(left) = self.until.and_then(left) {
            return Some(left);
        }
        while self.failed.front().is_some_and(|first| is_past(*first, WINDOW, now)) {
            self.failed.pop_front();
        }
        if self.failed.is_empty() {
            (self.waits, self.until) = (0, None);
        }
        self.failed.push_back(now);
        if self.failed.len() <= FREE {
            return None;
        }
        self.failed.pop_front();
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(self.waits)).min(LONGEST_WAIT);
        self.waits = self.waits.saturating_add(1);
        self.until = now.saturating_add(wait).ok();
        Some(wait)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.failed.back().is_none_or(|last| is_past(*last, WINDOW, now))
    }
}

fn is_past(since: Timestamp, age: Duration, now: Timestamp) -> bool {
    since.saturating_add(age).is_ok_and(|end| end <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn the_eleventh_within_five_minutes_waits_and_the_next_one_twice_as_long() {
        let (mut failures, mut now) = (Failures::default(), 0);
        for _ in 0..FREE {
            assert_eq!(failures.failed(&1, at(now)), None);
        }
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = failures.failed(&1, at(now)).unwrap();
            // Meanwhile each try is told what is left of it, and makes it no longer.
            assert_eq!(failures.failed(&1, at(now + 50)), Some(wait - Duration::from_millis(50)));
            waits.push(wait.as_millis());
            now += i64::try_from(wait.as_millis()).unwrap();
        }
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25000, 25000, 25000, 25000]);
        // Somebody else is not concerned, and in the end nobody is.
        assert_eq!(failures.failed(&2, at(now)), None);
        assert_eq!(failures.failed(&1, at(now + 300_000)), None);
    }

    #[test]
    fn senders_are_forgotten() {
        let mut failures = Failures::default();
        for sender in 0..2 * SENDERS {
            failures.failed(&sender, at(0));
        }
        assert_eq!((failures.by_sender.len(), failures.order.len()), (SENDERS, SENDERS));
        failures.failed(&0, at(300_000));
        assert_eq!(failures.by_sender.len(), 1);
    }
}
