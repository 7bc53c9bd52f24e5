//! One pair of peers: who offers, who answers, what is kept, when another connection is tried. Pure: no clock, no
//! randomness, no I/O.
//!
//! Feed it with [`Negotiator::handle`], then do what [`Negotiator::poll_action`] says until it is empty, and call
//! `handle` with [`Input::Tick`] at the instant of [`Negotiator::poll_timeout`]. A pair outlives its connections: those
//! are numbered, and what comes from an earlier one is ignored.
//!
//! # An offer comes
//! | now | the offer names a new attempt | it names none |
//! |---|---|---|
//! | no connection | a fresh connection answers it | the same |
//! | own offer outstanding, impolite | ignored, with its candidates | ignored |
//! | own offer outstanding, polite | the own connection is dropped; a fresh one answers | the same |
//! | operation under way on the remote description | a fresh connection answers it | waits for the result |
//! | stable and open | a fresh connection answers it | the same connection answers it |
//! | stable, not open yet | a fresh connection answers it | the same |
//!
//! An offer under the current attempt is a renegotiation (an ICE restart, say): the same connection answers it, once the
//! operation under way has ended. The very same offer again is none. An attempt that is over is never taken again. There
//! is no rollback: the native library has none that can be relied upon, and a fresh connection costs as little.
//!
//! # Time
//! The side that offered gives a connection 4, 6 and 10 s to open, each time a fresh one, then the pair has failed. The
//! side that answers waits 12 s, then offers itself; a side that has used its own tries up does not start over, so that two
//! peers that can't reach each other both end. A failed pair still answers an offer. An open channel resets all.
//!
//! Whoever knows more than that says so: [`Input::TryAgain`] makes an offer now and lets all tries begin anew, unless the two sides
//! have come to an exchange already; [`Input::GiveUp`] ends the tries.

mod attempt;
mod event;
mod exchange;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod property;

use std::collections::VecDeque;

use self::attempt::{Attempt, HeldCandidates, PastAttempts, Step, WaitingOffer};
pub(crate) use self::event::{Action, ConnectionNumber, Input, Message, State};
use crate::limits::{OPEN_WAITS_MS, RESPONDER_PATIENCE_MS, RESPONDER_REOPEN_MS};

const NOT_OPEN: &str = "the data channel did not open in time";

/// The machine for one remote peer.
#[derive(Debug)]
pub(crate) struct Negotiator {
    initiator: bool,
    polite: bool,
    seed: String,
    offers: u32,
    connections: ConnectionNumber,
    current: Option<Attempt>,
    past: PastAttempts,
    held: HeldCandidates,
    /// An offer that came while an operation was under way.
    waiting_offer: Option<WaitingOffer>,
    /// Connections offered by this side since one was open or the other side offered.
    tries: usize,
    /// Why the other side can't use this side's description, when it says so.
    refusal: Option<String>,
    /// This side's tries were used up once since a channel was open.
    spent: bool,
    deadline: Option<u64>,
    state: Option<State>,
    actions: VecDeque<Action>,
}

impl Negotiator {
    /// A machine that has not begun. The `initiator` offers first; of two crossing offers the `polite` side's is dropped.
    /// `seed` names this side's attempts and has to differ from those of every earlier machine for this peer.
    pub(crate) fn new(initiator: bool, polite: bool, seed: String) -> Self {
        Self {
            initiator,
            polite,
            seed,
            offers: 0,
            connections: 0,
            current: None,
            past: PastAttempts::default(),
            held: HeldCandidates::default(),
            waiting_offer: None,
            tries: 0,
            refusal: None,
            spent: false,
            deadline: None,
            state: None,
            actions: VecDeque::new(),
        }
    }

    /// Takes what happened at `now` (milliseconds of any clock that does not go back).
    pub(crate) fn handle(&mut self, now: u64, input: Input) {
        match input {
            Input::Start => self.start(now),
            Input::RemoteOffer { sdp, attempt } => self.remote_offer(now, sdp, attempt),
            Input::RemoteAnswer { sdp, attempt } => self.remote_answer(sdp, attempt.as_deref()),
            Input::RemoteCandidate { candidate, attempt } => self.remote_candidate(candidate, attempt),
            Input::RemoteRefusal { message, attempt } => self.remote_refusal(&message, attempt.as_deref()),
            Input::LocalCandidate { connection, candidate } => self.local_candidate(connection, candidate),
            Input::OfferCreated { connection, sdp } => self.offer_created(connection, sdp),
            Input::AnswerCreated { connection, sdp } => self.answer_created(now, connection, sdp),
            Input::AnswerApplied { connection } => self.answer_applied(now, connection),
            Input::OperationFailed { connection, message } => self.operation_failed(now, connection, &message),
            Input::ChannelOpen { connection } => self.channel_open(connection),
            Input::ConnectionLost { connection, reason } => self.connection_lost(now, connection, &reason),
            Input::TryAgain => self.try_again(now),
            Input::GiveUp { reason } => self.give_up(&reason),
            Input::Tick => self.tick(now),
        }
    }

    /// The next thing to do.
    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Input::Tick`] is due, on the clock of `handle`.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        self.deadline
    }

    /// How far the pair is; `None` before it began.
    #[cfg(test)]
    pub(crate) fn state(&self) -> Option<State> {
        self.state
    }

    fn start(&mut self, now: u64) {
        if self.state.is_some() {
            return;
        }
        if self.initiator {
            self.offer(now);
        } else {
            self.enter(State::Connecting);
            self.deadline = Some(now + RESPONDER_PATIENCE_MS);
        }
    }

    fn is_current(&self, name: &str) -> bool {
        self.current.as_ref().is_some_and(|current| current.name.as_deref() == Some(name))
    }

    /// A fresh connection that answers the other side's offer.
    fn answer(&mut self, now: u64, sdp: String, attempt: Option<String>) {
        self.drop_connection();
        self.tries = 0;
        let connection = self.fresh(attempt, false);
        if let Some(current) = &mut self.current {
            current.remote_offer = Some(sdp.clone());
        }
        self.actions.push_back(Action::AcceptOffer { connection, sdp });
        self.deadline = Some(now + RESPONDER_PATIENCE_MS);
    }

    /// A fresh connection with an offer of this side.
    fn offer(&mut self, now: u64) {
        self.drop_connection();
        self.offers += 1;
        let name = format!("{}-{}", self.seed, self.offers);
        let connection = self.fresh(Some(name), true);
        self.actions.push_back(Action::CreateOffer { connection });
        self.deadline = OPEN_WAITS_MS.get(self.tries).map(|wait| now + wait);
        self.tries += 1;
    }

    fn fresh(&mut self, name: Option<String>, offered_here: bool) -> ConnectionNumber {
        self.connections += 1;
        let connection = self.connections;
        self.current = Some(Attempt::new(connection, name, offered_here));
        self.actions.push_back(Action::Open { connection, channel: offered_here });
        self.enter(State::Connecting);
        connection
    }

    fn drop_connection(&mut self) {
        self.waiting_offer = None;
        if let Some(attempt) = self.current.take() {
            self.actions.push_back(Action::Close { connection: attempt.connection });
            if let Some(name) = attempt.name {
                self.retire(name);
            }
        }
    }

    /// What still comes of this attempt is not wanted.
    fn retire(&mut self, name: String) {
        self.held.forget(&name);
        self.past.push(name);
    }

    fn channel_open(&mut self, connection: ConnectionNumber) {
        let Some(current) = self.current.as_mut().filter(|current| current.connection == connection) else { return };
        current.open = true;
        (self.tries, self.spent, self.deadline, self.refusal) = (0, false, None, None);
        self.enter(State::Connected);
    }

    fn connection_lost(&mut self, now: u64, connection: ConnectionNumber, reason: &str) {
        let Some(current) = self.current.as_ref().filter(|current| current.connection == connection) else { return };
        match (current.open, current.offered_here) {
            (false, true) => self.retry(now, reason),
            // The patience that runs says when this side offers itself.
            (false, false) => self.drop_connection(),
            (true, true) => {
                self.enter(State::Disconnected);
                self.offer(now);
            }
            (true, false) => {
                self.enter(State::Disconnected);
                self.drop_connection();
                self.deadline = Some(now + RESPONDER_REOPEN_MS);
            }
        }
    }

    /// Offers at once, whatever the role and whatever was tried, unless an exchange of descriptions is on its way or has ended.
    fn try_again(&mut self, now: u64) {
        match self.current.as_ref().map(|current| current.step) {
            _ if self.state.is_none() => {}
            // That one has not gone yet, and is as good as another.
            Some(Step::Offering) => (self.tries, self.spent) = (1, false),
            None | Some(Step::AwaitingAnswer) => {
                (self.tries, self.spent) = (0, false);
                self.offer(now);
            }
            _ => {}
        }
    }

    fn give_up(&mut self, reason: &str) {
        if self.state.is_some_and(|state| state != State::Failed) {
            self.spent = true;
            self.fail(reason);
        }
    }

    fn tick(&mut self, now: u64) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.current.as_ref().is_some_and(|current| current.offered_here) {
            self.retry(now, NOT_OPEN);
        } else if self.spent {
            self.fail(NOT_OPEN);
        } else {
            self.offer(now);
        }
    }

    /// The next connection of this side, if it has one left.
    fn retry(&mut self, now: u64, reason: &str) {
        if self.tries < OPEN_WAITS_MS.len() {
            self.offer(now);
        } else {
            self.spent = true;
            self.fail(reason);
        }
    }

    fn fail(&mut self, reason: &str) {
        self.drop_connection();
        self.deadline = None;
        let message = self.refusal.take().unwrap_or_else(|| reason.to_owned());
        self.actions.push_back(Action::Error { message });
        self.enter(State::Failed);
    }

    fn enter(&mut self, state: State) {
        if self.state != Some(state) {
            self.state = Some(state);
            self.actions.push_back(Action::State(state));
        }
    }

    fn current_if(&mut self, connection: ConnectionNumber, step: Step) -> Option<&mut Attempt> {
        self.current.as_mut().filter(|current| current.connection == connection && current.step == step)
    }
}
