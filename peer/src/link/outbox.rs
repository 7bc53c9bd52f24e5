//! What goes to the server, until it has it.

use std::collections::VecDeque;

use serde::Deserialize;
use tokio::time::Instant;

use super::patience::Patience;
use crate::limits::{SIGNAL_QUEUE, SIGNALS_UNDER_WAY};

/// Frames for the server, in their order. With one that acknowledges them each is kept until then, under an `id`, and goes out
/// again over a link that takes the place of a lost one; with another one they are let go as they go out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    frames: VecDeque<Kept>,
    /// So many of them have gone out over this link.
    sent: usize,
    /// The last `id`.
    last: u64,
    keeps: bool,
    patience: Patience,
}

#[derive(Debug)]
struct Kept {
    id: u64,
    text: String,
    /// When it went out last.
    sent: Option<Instant>,
}

/// What the server says about a frame.
#[derive(Deserialize)]
struct About<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(rename = "ref")]
    id: &'a str,
}

impl Outbox {
    /// Whether frames are kept until the server acknowledges them.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Takes a frame, a JSON object that is not empty. One too many is dropped.
    pub(super) fn push(&mut self, mut text: String) {
        if self.frames.len() >= SIGNAL_QUEUE {
            return tracing::debug!("too much waits for the server: a signal is dropped");
        }
        self.last += 1;
        if self.keeps && text.ends_with('}') {
            text.truncate(text.len() - 1);
            text.push_str(&format!(r#","id":"{}"}}"#, self.last));
        }
        self.frames.push_back(Kept { id: self.last, text, sent: None });
    }

    /// Whether [`Outbox::next`] has something.
    pub(super) fn has_next(&self) -> bool {
        self.sent < self.frames.len() && self.sent < SIGNALS_UNDER_WAY
    }

    /// What goes out next.
    pub(super) fn next(&mut self) -> Option<String> {
        if !self.keeps {
            return self.frames.pop_front().map(|frame| frame.text);
        }
        let frame = self.has_next().then(|| self.frames.get_mut(self.sent)).flatten()?;
        frame.sent = Some(Instant::now());
        self.sent += 1;
        self.patience.sent();
        Some(frame.text.clone())
    }

    /// All that has not gone out.
    pub(super) fn rest(self) -> impl Iterator<Item = String> {
        self.frames.into_iter().skip(self.sent).map(|frame| frame.text)
    }

    /// Looks at a frame of the server. Whether it was an `ack` for something of this, which says nothing else.
    pub(super) fn heard(&mut self, text: &str) -> bool {
        if self.sent == 0 {
            return false;
        }
        let Ok(About { kind, id }) = serde_json::from_str(text) else { return false };
        // The server refuses a frame by its `id`, or takes it.
        if !matches!(kind, "ack" | "error") {
            return false;
        }
        let id: Option<u64> = id.parse().ok();
        if let Some(place) = self.frames.iter().take(self.sent).position(|frame| Some(frame.id) == id) {
            self.sent -= 1;
            if let Some(sent) = self.frames.remove(place).and_then(|frame| frame.sent) {
                self.patience.answered(sent, self.sent > 0);
            }
        }
        kind == "ack"
    }

    /// When the link is to be doubted, since the server answers for nothing.
    pub(super) fn overdue(&self) -> Option<Instant> {
        self.patience.until()
    }

    /// It is.
    pub(super) fn doubted(&mut self) {
        self.patience.doubted();
    }

    /// Another link has taken the place of the last one: what has no answer goes out again.
    pub(super) fn again(&mut self) {
        self.sent = 0;
        self.patience.begin_anew();
    }

    /// Nothing of it is for anybody any more.
    pub(super) fn begin_anew(&mut self, keeps: bool) {
        self.frames.clear();
        (self.sent, self.keeps) = (0, keeps);
        self.patience.begin_anew();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(keeps: bool, count: usize) -> Outbox {
        let mut outbox = Outbox::default();
        outbox.begin_anew(keeps);
        (1..=count).for_each(|n| outbox.push(format!(r#"{{"n":{n}}}"#)));
        outbox
    }

    fn sends(outbox: &mut Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.next()).collect()
    }

    #[test]
    fn keeps_what_has_no_answer_and_says_it_again() {
        let mut outbox = outbox(true, 3);
        assert_eq!(sends(&mut outbox), [r#"{"n":1,"id":"1"}"#, r#"{"n":2,"id":"2"}"#, r#"{"n":3,"id":"3"}"#]);
        assert!(outbox.heard(r#"{"type":"ack","ref":"2"}"#));
        assert!(!outbox.heard(r#"{"type":"error","code":"peer_not_found","message":"m","ref":"1"}"#));
        outbox.again();
        assert_eq!(sends(&mut outbox), [r#"{"n":3,"id":"3"}"#]);
        assert!(outbox.heard(r#"{"type":"ack","ref":"3"}"#) && outbox.len() == 0);
        // The same once more, as after a link that broke before the first one was read.
        assert!(!outbox.heard(r#"{"type":"ack","ref":"3"}"#));
    }

    #[test]
    fn has_no_more_under_way_than_the_server_remembers() {
        let mut outbox = outbox(true, SIGNALS_UNDER_WAY + 2);
        assert_eq!(sends(&mut outbox).len(), SIGNALS_UNDER_WAY);
        assert!(outbox.heard(r#"{"type":"ack","ref":"1"}"#));
        assert_eq!(sends(&mut outbox).len(), 1);
        const { assert!(SIGNALS_UNDER_WAY <= grtc_protocol::limits::RESUME_IDS) };
    }

    #[test]
    fn is_bounded() {
        let mut outbox = outbox(true, SIGNAL_QUEUE + 2);
        assert_eq!(outbox.len(), SIGNAL_QUEUE);
        outbox.begin_anew(true);
        assert!(outbox.len() == 0 && !outbox.has_next());
    }

    #[test]
    fn keeps_nothing_for_a_server_that_does_not_answer() {
        let mut outbox = outbox(false, 2);
        assert_eq!(sends(&mut outbox), [r#"{"n":1}"#, r#"{"n":2}"#]);
        assert_eq!(outbox.len(), 0);
    }
}
