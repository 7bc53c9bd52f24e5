//! How far a command is, on a terminal.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

/// A line is shown after so long, and then as often.
const EVERY: Duration = Duration::from_millis(500);

/// A line on stderr that changes, if that is a terminal.
pub(super) struct Progress {
    /// When it is shown next; never, where nobody sees it.
    next: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { next: stderr().is_terminal().then(|| Instant::now() + EVERY), is_shown: false }
    }

    /// Shows this if it is time to.
    pub(super) fn tell(&mut self, text: impl FnOnce() -> String) {
        if self.next.is_some_and(|next| next <= Instant::now()) {
            self.next = Some(Instant::now() + EVERY);
            self.is_shown = true;
            // A terminal that is gone is no reason to stop.
            let _ = write!(stderr(), "\r\x1b[K{}", text());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
