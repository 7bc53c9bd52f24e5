//! One attempt at a connection, and the candidates that came before they could be used.

use std::collections::VecDeque;

use grtc_protocol::signal::IceCandidate;

use super::event::ConnectionNumber;
use crate::limits::{CANDIDATES_HELD, PAST_ATTEMPTS};

/// The connection that a pair has now.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) connection: ConnectionNumber,
    /// `None` when the offer came from a client that does not name its attempts.
    pub(super) name: Option<String>,
    pub(super) offered_here: bool,
    pub(super) step: Step,
    /// The remote description was applied at least once: candidates can be added.
    pub(super) has_remote: bool,
    pub(super) open: bool,
    /// The last offer that was taken for this attempt.
    pub(super) remote_offer: Option<String>,
    /// Candidates of this side that wait for their description to be sent; `None` once it was.
    pub(super) unsent: Option<Vec<Option<IceCandidate>>>,
}

/// Where the exchange of descriptions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Operation under way: the own offer is being made.
    Offering,
    /// The own offer was sent.
    AwaitingAnswer,
    /// Operation under way: the remote answer is being applied.
    Applying,
    /// Operation under way: the remote offer is being answered.
    Accepting,
    /// Nothing is outstanding.
    Stable,
}

impl Attempt {
    pub(super) fn new(connection: ConnectionNumber, name: Option<String>, offered_here: bool) -> Self {
        let step = if offered_here { Step::Offering } else { Step::Accepting };
        Self {
            connection,
            name,
            offered_here,
            step,
            has_remote: false,
            open: false,
            remote_offer: None,
            unsent: Some(Vec::new()),
        }
    }

    /// Whether an offer that comes now crosses the own one.
    pub(super) fn own_offer_outstanding(&self) -> bool {
        matches!(self.step, Step::Offering | Step::AwaitingAnswer)
    }
}

/// An offer that waits for the operation under way.
#[derive(Debug)]
pub(super) struct WaitingOffer {
    pub(super) sdp: String,
    /// It came under the current attempt, so that it is a renegotiation.
    pub(super) under_current: bool,
}

/// Remote candidates that can't be added yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct HeldCandidates(VecDeque<(Option<String>, Option<IceCandidate>)>);

impl HeldCandidates {
    /// Keeps one. The oldest goes when there are too many.
    pub(super) fn push(&mut self, attempt: Option<String>, candidate: Option<IceCandidate>) {
        if self.0.len() == CANDIDATES_HELD {
            self.0.pop_front();
        }
        self.0.push_back((attempt, candidate));
    }

    /// Takes those of this attempt and those that name none.
    pub(super) fn take(&mut self, attempt: Option<&str>) -> Vec<Option<IceCandidate>> {
        let (taken, kept) =
            std::mem::take(&mut self.0).into_iter().partition(|(name, _)| name.is_none() || name.as_deref() == attempt);
        self.0 = kept;
        let taken: VecDeque<_> = taken;
        taken.into_iter().map(|(_, candidate)| candidate).collect()
    }

    /// Drops those of an attempt that will not be used.
    pub(super) fn forget(&mut self, attempt: &str) {
        self.0.retain(|(name, _)| name.as_deref() != Some(attempt));
    }
}

/// Names of attempts that are over, so that their late messages are known for what they are.
#[derive(Debug, Default)]
pub(super) struct PastAttempts(VecDeque<String>);

impl PastAttempts {
    pub(super) fn push(&mut self, name: String) {
        if self.0.len() == PAST_ATTEMPTS {
            self.0.pop_front();
        }
        self.0.push_back(name);
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|past| past == name)
    }
}
