//! How long to wait before a lost link is opened again.

use std::time::Duration;

use crate::limits::{BACKOFF_FIRST, BACKOFF_LAST};

/// Full jitter: a random time below a ceiling that doubles, so that many peers that lost the same server don't come back at
/// the same moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    attempt: u32,
    rng: fastrand::Rng,
}

impl Backoff {
    pub(crate) fn new(rng: fastrand::Rng) -> Self {
        Self { attempt: 0, rng }
    }

    /// The number of the next attempt, from 1, and the wait before it.
    pub(crate) fn next(&mut self) -> (u32, Duration) {
        let ceiling = BACKOFF_FIRST.saturating_mul(1 << self.attempt.min(16)).min(BACKOFF_LAST);
        self.attempt += 1;
        (self.attempt, ceiling.mul_f64(self.rng.f64()))
    }

    /// The link is open: the next loss starts anew.
    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_ceiling_and_spreads_below_it() {
        let mut seen = vec![Duration::ZERO; 12];
        for seed in 0..1_000 {
            let mut backoff = Backoff::new(fastrand::Rng::with_seed(seed));
            for (place, longest) in seen.iter_mut().enumerate() {
                let (attempt, wait) = backoff.next();
                assert_eq!(attempt as usize, place + 1);
                *longest = wait.max(*longest);
            }
        }
        assert!(seen[0] <= BACKOFF_FIRST && seen[0] > BACKOFF_FIRST * 9 / 10, "{seen:?}");
        assert!(seen[3] <= BACKOFF_FIRST * 8 && seen[3] > BACKOFF_FIRST * 7, "{seen:?}");
        assert!(seen[11] <= BACKOFF_LAST && seen[11] > BACKOFF_LAST * 9 / 10, "{seen:?}");
    }

    #[test]
    fn starts_anew_after_a_reset() {
        let mut backoff = Backoff::new(fastrand::Rng::with_seed(7));
        for _ in 0..50 {
            backoff.next();
        }
        backoff.reset();
        let (attempt, wait) = backoff.next();
        assert!(attempt == 1 && wait <= BACKOFF_FIRST);
    }
}
