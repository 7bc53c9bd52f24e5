//! Looks once a second whether something has changed around this process: the addresses of this machine, or that the process
//! was stopped or the machine slept. Connections that nobody has heard of since may be dead then.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use crate::{
    limits::{SLEPT, SURROUNDINGS_CHECK},
    rtc,
};

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The addresses of this machine now.
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// How long this process was stopped, or the machine slept; zero if they did not.
    pub(crate) slept: Duration,
}

/// Looks until nobody wants to know any more.
pub(crate) fn start() -> mpsc::Receiver<Changed> {
    let (changes, told) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut ticks = interval(SURROUNDINGS_CHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Look::now(&BTreeSet::new());
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = changes.closed() => return,
            }
            let look = Look::now(&last.addresses);
            if let Some(changed) = look.since(&last) {
                // It is told once there is room, and the receiver's absence ends the loop.
                let _ = changes.send(changed).await;
            }
            last = look;
        }
    });
    told
}

/// What there was to see.
#[derive(Debug)]
struct Look {
    addresses: BTreeSet<IpAddr>,
    /// Neither clock is enough: the first one may stand still while the machine sleeps, the second one may be set.
    at: (Instant, Timestamp),
}

impl Look {
    /// `before` is what counts where the system does not say.
    fn now(before: &BTreeSet<IpAddr>) -> Self {
        let addresses = rtc::present_addresses().unwrap_or_else(|| before.clone());
        Self { addresses, at: (Instant::now(), Timestamp::now()) }
    }

    fn since(&self, last: &Self) -> Option<Changed> {
        let steady = self.at.0.saturating_duration_since(last.at.0);
        let wall = Duration::try_from(self.at.1.duration_since(last.at.1)).unwrap_or_default();
        let late = steady.max(wall).saturating_sub(SURROUNDINGS_CHECK);
        let slept = if late > SLEPT { late } else { Duration::ZERO };
        (slept > Duration::ZERO || self.addresses != last.addresses)
            .then(|| Changed { addresses: self.addresses.clone(), slept })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_addresses_that_come_and_go_and_a_sleep_on_either_clock() {
        let begin = (Instant::now(), Timestamp::UNIX_EPOCH);
        let look = |addresses: &[&str], steady: u64, wall: u64| Look {
            addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
            at: (begin.0 + Duration::from_secs(steady), begin.1 + Duration::from_secs(wall)),
        };
        let first = look(&["192.0.2.1"], 10, 10);
        let slept = |look: Look| look.since(&first).map(|changed| changed.slept);
        assert_eq!(slept(look(&["192.0.2.1"], 11, 11)), None);
        assert_eq!(slept(look(&["192.0.2.1"], 14, 14)), None, "a busy machine");
        assert_eq!(slept(look(&["192.0.2.1"], 71, 71)), Some(Duration::from_secs(60)), "stopped");
        assert_eq!(slept(look(&["192.0.2.1"], 11, 71)), Some(Duration::from_secs(60)), "slept");
        assert_eq!(slept(look(&["192.0.2.1"], 11, 2)), None, "a clock that was set back");
        for addresses in [&["192.0.2.2"][..], &[], &["192.0.2.1", "2001:db8::1"]] {
            let now = look(addresses, 11, 11);
            let expected = Changed { addresses: now.addresses.clone(), slept: Duration::ZERO };
            assert_eq!(now.since(&first), Some(expected));
        }
    }

    #[tokio::test]
    async fn ends_with_its_receiver_and_says_nothing_of_what_was_there() {
        let mut changes = start();
        let quiet = tokio::time::timeout(SURROUNDINGS_CHECK * 2, changes.recv()).await;
        assert!(quiet.is_err(), "{quiet:?}");
        drop(changes);
    }
}
