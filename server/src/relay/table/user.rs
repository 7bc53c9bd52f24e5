//! Whose allocations there are, and how much they may send.

use std::time::Duration;

/// Refused addresses a second that a user is told, and at once: some clients ask again at each check.
const REFUSALS: (u32, u32) = (20, 200);

#[derive(Debug, Default)]
pub(super) struct User {
    /// The numbers of its allocations.
    pub(super) ports: Vec<u16>,
    bytes: Account,
    refusals: Account,
}

/// How far what was taken is ahead of its rate (GCRA): the time at which it all would have come evenly.
#[derive(Debug, Default)]
struct Account(Duration);

impl User {
    /// Counts bytes of data, if there may be so many.
    pub(super) fn send(&mut self, bytes: usize, rate: Option<(u32, u32)>, now: Duration) -> bool {
        rate.is_none_or(|rate| self.bytes.take(bytes, rate, now))
    }

    /// Counts a refusal, if it is to be told.
    pub(super) fn refuse(&mut self, now: Duration) -> bool {
        self.refusals.take(1, REFUSALS, now)
    }

    /// Whether nothing needs to be known of it.
    pub(super) fn is_idle(&self, now: Duration) -> bool {
        self.ports.is_empty() && self.bytes.0 <= now && self.refusals.0 <= now
    }
}

impl Account {
    fn take(&mut self, amount: usize, (a_second, burst): (u32, u32), now: Duration) -> bool {
        let lasts =
            |amount: u64| Duration::from_nanos(amount.saturating_mul(1_000_000_000) / u64::from(a_second.max(1)));
        let ahead = self.0.max(now) + lasts(amount as u64);
        let may = ahead <= now + lasts(u64::from(burst));
        if may {
            self.0 = ahead;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn no_more_is_let_through_than_the_rate_and_its_burst(
            takes in vec((1..3_000_usize, 0..5_000_u64), 1..200), a_second in 1_000..10_000_000_u32, burst in 3_000..100_000_u32,
        ) {
            let (mut user, mut now, mut through) = (User::default(), Duration::ZERO, 0);
            for (bytes, micros) in takes {
                now += Duration::from_micros(micros);
                if user.send(bytes, Some((a_second, burst)), now) {
                    through += bytes;
                }
                let most = f64::from(burst) + now.as_secs_f64() * f64::from(a_second) + 1.0;
                prop_assert!(through as f64 <= most, "{through} of {most}");
            }
            let rested = now + Duration::from_secs(100);
            prop_assert!(user.is_idle(rested) && user.send(burst as usize, Some((a_second, burst)), rested));
            prop_assert!(user.send(usize::MAX, None, now));
        }
    }
}
