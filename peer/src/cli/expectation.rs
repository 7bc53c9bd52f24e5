//! What a script waits for. Pure.

use std::collections::{BTreeMap, BTreeSet};

use grtc_peer::{Event, PeerId, Stage};

use super::Exit;

/// What was asked for and what came of it.
#[derive(Debug)]
pub(super) struct Expectation {
    peers: Option<usize>,
    /// Texts that have not come yet.
    texts: Vec<String>,
    /// Open channels now.
    open: BTreeSet<PeerId>,
    /// Peers that no connection could be made to, and how far it came.
    failed: BTreeMap<PeerId, Stage>,
    /// So many channels were open at once at some time.
    reached: bool,
}

impl Expectation {
    pub(super) fn new(peers: Option<usize>, texts: Vec<String>) -> Self {
        Self { peers, texts, open: BTreeSet::new(), failed: BTreeMap::new(), reached: false }
    }

    /// Takes note of what happened.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Connected { peer_id, .. } => {
                self.open.insert(peer_id.clone());
                self.failed.remove(peer_id);
                self.reached |= self.open.len() >= self.peers.unwrap_or(1);
            }
            Event::Disconnected { peer_id } => {
                self.open.remove(peer_id);
            }
            Event::LocalFailure { peer_id, .. } => {
                self.failed.insert(peer_id.clone(), Stage::Local);
            }
            Event::Failed { peer_id, stage, .. } => {
                self.failed.insert(peer_id.clone(), *stage);
            }
            Event::Message { payload, .. } => {
                if let Some(place) = self.texts.iter().position(|text| payload.as_text() == Some(text)) {
                    self.texts.remove(place);
                }
            }
            _ => {}
        }
    }

    /// Whether as many channels as expected, at least one, were open at once.
    pub(super) fn reached(&self) -> bool {
        self.reached
    }

    /// Whether those came who were asked for, if any were.
    pub(super) fn peers_came(&self) -> bool {
        self.peers.is_none() || self.reached
    }

    /// How much is missing.
    pub(super) fn missing(&self) -> usize {
        usize::from(!self.peers_came()) + self.texts.len()
    }

    /// What is missing, for a person.
    pub(super) fn unmet(&self) -> Vec<String> {
        let mut unmet = Vec::new();
        if let Some(peers) = self.peers.filter(|_| !self.reached) {
            unmet.push(format!("{} of {peers} expected peers connected", self.open.len()));
        }
        unmet.extend(self.texts.iter().map(|text| format!("no message {text:?}")));
        unmet
    }

    /// The exit code for what is missing: that of the connection that came least far, if one failed.
    pub(super) fn failure(&self) -> Exit {
        self.failed
            .values()
            .filter(|stage| **stage != Stage::Signaling)
            .min()
            .map_or(Exit::Unmet, |stage| (*stage).into())
    }
}

#[cfg(test)]
mod tests {
    use grtc_peer::{CandidatePair, Payload, Timings, Via};

    use super::*;

    fn id(name: &str) -> PeerId {
        name.parse().unwrap()
    }

    fn connected(name: &str) -> Event {
        let text = String::new;
        let pair = CandidatePair { local: text(), remote: text(), protocol: text() };
        let timings = Timings { signaling: 0.0, ice: 0.0, dtls: 0.0, sctp: 0.0, total: 0.0 };
        Event::Connected { peer_id: id(name), pair, timings }
    }

    fn message(text: &str) -> Event {
        Event::Message { from: id("b"), payload: Payload::from(text), via: Via::P2p }
    }

    #[test]
    fn waits_for_all_peers_and_all_texts() {
        let mut expectation = Expectation::new(Some(2), vec!["x".to_owned(), "x".to_owned()]);
        expectation.note(&connected("b"));
        expectation.note(&message("x"));
        assert_eq!(expectation.unmet(), ["1 of 2 expected peers connected", "no message \"x\""]);
        assert_eq!(expectation.missing(), 2);
        expectation.note(&Event::Disconnected { peer_id: id("b") });
        expectation.note(&connected("c"));
        assert!(!expectation.reached(), "two at once are meant");
        expectation.note(&connected("b"));
        expectation.note(&message("x y"));
        assert_eq!(expectation.unmet(), ["no message \"x\""]);
        expectation.note(&message("x"));
        assert!(expectation.unmet().is_empty() && expectation.missing() == 0);
    }

    #[test]
    fn a_failure_says_how_far_it_came() {
        let failed = |name, stage| Event::Failed { peer_id: id(name), stage, message: String::new() };
        let mut expectation = Expectation::new(Some(1), vec![]);
        assert_eq!(expectation.failure(), Exit::Unmet);
        expectation.note(&failed("a", Stage::Signaling));
        assert_eq!(expectation.failure(), Exit::Unmet);
        expectation.note(&failed("b", Stage::Sctp));
        assert_eq!(expectation.failure(), Exit::Channel);
        expectation.note(&failed("c", Stage::Ice));
        assert_eq!(expectation.failure(), Exit::Ice);
        expectation.note(&connected("c"));
        assert_eq!(expectation.failure(), Exit::Channel);
    }
}
