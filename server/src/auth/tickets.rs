//! Tickets: what a client shows that can send no header, as an `EventSource`. Each is good once, for a short time.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::caller::Caller;
use crate::random;

/// How long a ticket is good for.
pub(crate) const TICKET_AGE: Duration = Duration::from_secs(30);
/// Tickets that are out at most; beyond that the oldest is good no more.
const TICKETS: usize = 10_000;

/// The tickets that are out. Times come from the caller, and never go back.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<Out>);

#[derive(Default)]
struct Out {
    /// What each stands for, and when it ends.
    by_text: HashMap<String, (Arc<Caller>, Timestamp)>,
    /// In the order of their making.
    order: VecDeque<String>,
}

impl Tickets {
    /// A ticket that stands for this caller, and when it ends.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn issue(&self, caller: Arc<Caller>, now: Timestamp) -> Result<(String, Timestamp), getrandom::Error> {
        let text = random::text()?;
        let ends = now.saturating_add(TICKET_AGE).unwrap_or(now);
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.forget(now);
        out.by_text.insert(text.clone(), (caller, ends));
        out.order.push_back(text.clone());
        Ok((text, ends))
    }

    /// Whom a ticket stands for; it stands for nobody from now on.
    pub(crate) fn take(&self, text: &str, now: Timestamp) -> Option<Arc<Caller>> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, ends) = out.by_text.remove(text)?;
        (now < ends).then_some(caller)
    }
}

impl Out {
    /// Makes room for one more.
    fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let is_over = self.by_text.get(oldest).is_none_or(|(_, ends)| *ends <= now);
            if !is_over && self.order.len() < TICKETS {
                return;
            }
            self.by_text.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Arc<Caller> {
        Arc::new(Caller::named("ann"))
    }

    #[test]
    fn a_ticket_is_good_once_and_not_for_long() {
        let (tickets, now) = (Tickets::default(), Timestamp::UNIX_EPOCH);
        let (first, ends) = tickets.issue(caller(), now).unwrap();
        let (second, _) = tickets.issue(caller(), now).unwrap();
        assert!(tickets.take(&first, now).is_some());
        assert!(tickets.take(&first, now).is_none());
        assert!(tickets.take(&second, ends).is_none());
        assert!(tickets.take("", now).is_none());
    }

    #[test]
    fn tickets_that_nobody_shows_take_no_more_room() {
        let (tickets, now) = (Tickets::default(), Timestamp::UNIX_EPOCH);
        let (first, ends) = tickets.issue(caller(), now).unwrap();
        for _ in 0..TICKETS {
            tickets.issue(caller(), now).unwrap();
        }
        assert!(tickets.take(&first, now).is_none());
        tickets.issue(caller(), ends).unwrap();
        assert_eq!(tickets.0.lock().unwrap().order.len(), 1);
    }
}
