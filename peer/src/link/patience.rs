//! How long the server may take to answer for what was sent to it.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{UNANSWERED, UNANSWERED_LAST};

/// A connection may lose packets of one direction only, and TCP waits twice as long after each try: what comes meanwhile proves
/// nothing. Each doubt doubles the wait, up to a bound, so that a server that is only slow keeps its clients; an answer in
/// time makes it short again.
#[derive(Debug)]
pub(super) struct Patience {
    wait: Duration,
    /// Since when nothing more of what is under way was answered for.
    since: Option<Instant>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { wait: UNANSWERED, since: None }
    }
}

impl Patience {
    /// When the link is to be doubted.
    pub(super) fn until(&self) -> Option<Instant> {
        self.since.map(|since| since + self.wait)
    }

    /// Something goes out.
    pub(super) fn sent(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Something that went out at `sent` was answered for, and more is under way or not.
    pub(super) fn answered(&mut self, sent: Instant, more: bool) {
        if sent.elapsed() <= UNANSWERED {
            self.wait = UNANSWERED;
        }
        self.since = more.then(Instant::now);
    }

    /// The link is doubted: the next time it is later.
    pub(super) fn doubted(&mut self) {
        self.wait = (self.wait * 2).min(UNANSWERED_LAST);
        self.since = Some(Instant::now());
    }

    /// Nothing is under way any more.
    pub(super) fn begin_anew(&mut self) {
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// How long after something went out it is doubted.
    fn wait(patience: &mut Patience) -> Duration {
        patience.begin_anew();
        patience.sent();
        patience.until().unwrap() - Instant::now()
    }

    #[tokio::test(start_paused = true)]
    async fn who_gets_answers_all_the_time_doubts_nothing() {
        let mut patience = Patience::default();
        assert_eq!(patience.until(), None);
        for _ in 0..100 {
            patience.sent();
            advance(UNANSWERED / 2).await;
            assert!(patience.until().unwrap() > Instant::now());
            patience.answered(Instant::now() - UNANSWERED, true);
        }
        patience.answered(Instant::now(), false);
        assert_eq!(patience.until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn each_doubt_comes_later_until_an_answer_is_in_time() {
        let mut patience = Patience::default();
        let mut waits = vec![wait(&mut patience)];
        for _ in 0..8 {
            patience.doubted();
            waits.push(wait(&mut patience));
        }
        assert!(waits.is_sorted() && waits[1] == 2 * UNANSWERED && waits[8] == UNANSWERED_LAST, "{waits:?}");
        let sent = Instant::now();
        advance(UNANSWERED * 2).await;
        patience.answered(sent, false);
        assert_eq!(wait(&mut patience), UNANSWERED_LAST);
        patience.answered(Instant::now() - UNANSWERED, false);
        assert_eq!(wait(&mut patience), UNANSWERED);
    }
}
