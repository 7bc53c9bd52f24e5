//! When the server is asked for a sign of life, and when it is too late for one.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::limits::{LINK_IDLE, LINK_PONG};

/// Any frame breaks the silence. A doubt is only settled by the answer to its own question, or to a later one: what was under way
/// before the network changed proves nothing.
#[derive(Debug)]
pub(super) struct Silence {
    heard: Instant,
    asked: Option<Instant>,
    /// The numbers of the questions that have no answer, and the deadlines for it. There are few: whoever doubts waits in between.
    doubts: VecDeque<(u32, Instant)>,
    questions: u32,
}

impl Silence {
    pub(super) fn new() -> Self {
        Self { heard: Instant::now(), asked: None, doubts: VecDeque::new(), questions: 0 }
    }

    /// When there is something to do next.
    pub(super) fn until(&self) -> Instant {
        let idle = self.asked.map_or(self.heard + LINK_IDLE, |asked| asked + LINK_PONG);
        self.doubts.iter().map(|(_, deadline)| *deadline).fold(idle, Instant::min)
    }

    /// The instant of [`Silence::until`] has come: the question to ask; none, when the answer is missing.
    pub(super) fn due(&mut self) -> Option<Vec<u8>> {
        let now = Instant::now();
        if self.doubts.iter().any(|(_, deadline)| *deadline <= now) || self.asked.is_some() {
            return None;
        }
        self.asked = Some(now);
        Some(Vec::new())
    }

    /// The question to ask now, for who does not trust the link.
    pub(super) fn doubt(&mut self, within: Duration) -> Vec<u8> {
        self.questions = self.questions.wrapping_add(1);
        self.doubts.push_back((self.questions, Instant::now() + within));
        self.questions.to_be_bytes().into()
    }

    /// Something came.
    pub(super) fn broken(&mut self) {
        (self.heard, self.asked) = (Instant::now(), None);
    }

    /// The answer to a question came.
    pub(super) fn answered(&mut self, question: &[u8]) {
        if let Some(place) = self.doubts.iter().position(|(number, _)| number.to_be_bytes() == question) {
            self.doubts.drain(..=place);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, pause};

    use super::*;

    #[tokio::test]
    async fn asks_once_and_gives_up_without_an_answer() {
        pause();
        let mut silence = Silence::new();
        advance(LINK_IDLE).await;
        assert_eq!(silence.until(), Instant::now());
        assert_eq!(silence.due(), Some(vec![]));
        silence.broken();
        assert_eq!(silence.until(), Instant::now() + LINK_IDLE);
        advance(LINK_IDLE).await;
        assert!(silence.due().is_some());
        advance(LINK_PONG).await;
        assert!(silence.until() == Instant::now() && silence.due().is_none());
    }

    #[tokio::test]
    async fn a_doubt_is_settled_by_the_answer_to_its_own_question() {
        pause();
        let mut silence = Silence::new();
        let first = silence.doubt(Duration::from_secs(3));
        let second = silence.doubt(Duration::from_secs(9));
        silence.broken();
        silence.answered(&[]);
        assert_eq!(silence.until(), Instant::now() + Duration::from_secs(3));
        silence.answered(&first);
        assert_eq!(silence.until(), Instant::now() + Duration::from_secs(9), "the later question has its own time");
        silence.doubt(Duration::from_secs(3));
        let last = silence.doubt(Duration::from_secs(6));
        silence.answered(&last);
        silence.answered(&second);
        assert_eq!(silence.until(), Instant::now() + LINK_IDLE);
        silence.doubt(Duration::from_secs(3));
        advance(Duration::from_secs(3)).await;
        assert!(silence.due().is_none());
    }
}
