//! A token bucket. Time is an argument.

use std::time::{Duration, Instant};

use crate::limits::Rate;

/// Lets `burst` through at once and `rate` a second after that.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// The time that one token takes to grow back; zero lets everything through.
    interval: Duration,
    burst: Duration,
    /// When the bucket will be full again, or was.
    full_at: Option<Instant>,
}

impl Throttle {
    /// A full bucket. A rate of 0 lets everything through.
    pub(crate) fn new(rate: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
        Self { interval, burst: interval * burst, full_at: None }
    }

    /// A full bucket of this rate, or one that lets everything through.
    pub(crate) fn of(rate: Option<Rate>) -> Self {
        rate.map_or(Self::new(0, 0), |rate| Self::new(rate.a_second, rate.burst))
    }

    /// Takes one token, even where none is left: then the bucket is in debt, and the answer says how long.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Duration> {
        self.take_many(1, now)
    }

    /// Takes so many tokens as [`Throttle::take`] takes one.
    pub(crate) fn take_many(&mut self, tokens: u32, now: Instant) -> Option<Duration> {
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + self.interval * tokens;
        self.full_at = Some(full_at);
        let missing = full_at - now;
        missing.checked_sub(self.burst).filter(|debt| !debt.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_a_burst_through_and_then_the_rate() {
        let now = Instant::now();
        let mut throttle = Throttle::new(10, 3);
        assert_eq!([throttle.take(now), throttle.take(now), throttle.take(now)], [None; 3]);
        assert_eq!(throttle.take(now), Some(Duration::from_millis(100)));
        assert_eq!(throttle.take(now + Duration::from_millis(200)), None);
        assert_eq!(throttle.take(now + Duration::from_millis(200)), Some(Duration::from_millis(100)));
    }

    #[test]
    fn many_at_once_are_waited_for_as_long_as_one_after_another() {
        let now = Instant::now();
        let mut throttle = Throttle::new(1_000, 3_000);
        assert_eq!(throttle.take_many(3_000, now), None);
        assert_eq!(throttle.take_many(999, now), Some(Duration::from_millis(999)));
    }

    #[test]
    fn a_rate_of_zero_lets_everything_through() {
        let mut throttle = Throttle::new(0, 0);
        assert!((0..1_000).all(|_| throttle.take(Instant::now()).is_none()));
    }
}
