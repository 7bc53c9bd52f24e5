//! Lines that many clients may cause at once, a few of which say enough.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lines in a row, and how often they may come again.
const LINES: u32 = 10;
const PERIOD: Duration = Duration::from_secs(10);

/// Lets [`LINES`] lines through in [`PERIOD`], and counts the others.
pub(crate) struct Occasional(Mutex<State>);

struct State {
    since: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Occasional {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State { since: None, lines: 0, left_out: 0 }))
    }

    /// Whether to log now; the answer says how many lines like it were left out since the last one.
    pub(crate) fn now(&self) -> Option<u64> {
        self.at(Instant::now())
    }

    fn at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.since.is_none_or(|since| now - since >= PERIOD) {
            (state.since, state.lines) = (Some(now), 0);
        }
        if state.lines >= LINES {
            state.left_out += 1;
            return None;
        }
        state.lines += 1;
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_come_through_and_the_others_are_counted() {
        let (lines, now) = (Occasional::new(), Instant::now());
        let through = (0..100).filter(|_| lines.at(now).is_some()).count();
        assert_eq!(through, LINES as usize);
        assert_eq!(lines.at(now + PERIOD), Some(100 - u64::from(LINES)));
        assert_eq!(lines.at(now + PERIOD), Some(0));
    }
}
