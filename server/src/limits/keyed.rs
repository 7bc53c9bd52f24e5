//! Rates that are counted for each key apart, in bounded memory.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

use super::values::Rate;

/// Keys that are told apart; 16 bytes each, and as much again for the table. A key that has used nothing for as long as its burst takes is forgotten.
const KEYS: usize = 64 * 1024;
/// With that many, all are counted in so many places, several in one.
const SHARED: u64 = 4 * 1024;
/// How often it is looked whether there are that many, in takes.
const LOOK: u32 = 1_024;

/// A rate for each key: a hash of it, which nobody can foresee.
pub(crate) struct Keyed {
    limiter: Option<DefaultKeyedRateLimiter<u64>>,
    clock: DefaultClock,
    hashes: RandomState,
    takes: AtomicU32,
    is_full: AtomicBool,
}

impl Keyed {
    /// No limit at all without a rate.
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let quota = rate.and_then(|Rate { a_second, burst }| {
            Some(Quota::per_second(NonZeroU32::new(a_second)?).allow_burst(NonZeroU32::new(burst)?))
        });
        Self {
            limiter: quota.map(RateLimiter::keyed),
            clock: DefaultClock::default(),
            hashes: RandomState::new(),
            takes: AtomicU32::new(0),
            is_full: AtomicBool::new(false),
        }
    }

    /// Counts one for this key.
    ///
    /// # Errors
    /// How long it has to wait until it may have one. Then nothing is counted.
    pub(crate) fn take(&self, key: impl Hash) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.takes.fetch_add(1, Relaxed) % LOOK == LOOK - 1 {
            self.is_full.store(limiter.len() >= KEYS, Relaxed);
        }
        let hash = self.hashes.hash_one(key);
        let key = if self.is_full.load(Relaxed) { hash % SHARED } else { hash };
        limiter.check_key(&key).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Forgets the keys that have nothing on their account any more.
    pub(crate) fn forget(&self) {
        let Some(limiter) = &self.limiter else { return };
        if !limiter.is_empty() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
            self.is_full.store(limiter.len() >= KEYS, Relaxed);
        }
    }

    #[cfg(test)]
    fn keys(&self) -> usize {
        self.limiter.as_ref().map_or(0, RateLimiter::len)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn each_key_has_a_burst_of_its_own_and_is_told_how_long_to_wait() {
        let keyed = Keyed::new(Some(Rate { a_second: 1, burst: 3 }));
        for key in ["a", "b"] {
            assert_eq!([(); 3].map(|()| keyed.take(key)), [Ok(()); 3]);
            let wait = keyed.take(key).unwrap_err();
            assert!(wait > Duration::from_millis(500) && wait <= Duration::from_secs(1), "{wait:?}");
        }
        let none = Keyed::new(None);
        assert!((0..10_000).all(|_| none.take("a").is_ok()));
    }

    #[test]
    fn countless_keys_are_told_apart_no_more_and_are_limited_all_the_same() {
        let keyed = Keyed::new(Some(Rate { a_second: 1, burst: 1 }));
        let refused = (0..300_000).filter(|key| keyed.take(key).is_err()).count();
        assert!(refused > 150_000, "{refused}");
        let most = KEYS + SHARED as usize + LOOK as usize;
        assert!(keyed.keys() <= most, "{}", keyed.keys());
    }

    #[test]
    fn who_has_nothing_on_the_account_is_forgotten() {
        let keyed = Keyed::new(Some(Rate { a_second: 1_000_000, burst: 1 }));
        for key in 0..10_000 {
            let _ = keyed.take(key);
        }
        let since = Instant::now();
        while keyed.keys() > 0 {
            assert!(since.elapsed() < Duration::from_secs(10), "{} are left", keyed.keys());
            keyed.forget();
        }
    }
}
