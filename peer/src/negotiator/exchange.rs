//! Descriptions and candidates: what comes of the other side, and what an operation has made.

use grtc_protocol::signal::IceCandidate;

use super::{
    Negotiator,
    attempt::{Attempt, Step, WaitingOffer},
    event::{Action, ConnectionNumber, Message},
};

impl Negotiator {
    pub(super) fn remote_offer(&mut self, now: u64, sdp: String, attempt: Option<String>) {
        if attempt.as_deref().is_some_and(|name| self.past.contains(name)) {
            return;
        }
        let Some(current) = &self.current else {
            return self.answer(now, sdp, attempt);
        };
        if attempt.is_some() && attempt == current.name {
            return self.same_attempt(sdp);
        }
        if current.own_offer_outstanding() {
            if self.polite {
                self.answer(now, sdp, attempt);
            } else if let Some(name) = attempt {
                self.retire(name);
            }
            return;
        }
        match (attempt, current.step) {
            (None, Step::Stable) if current.open => self.renegotiate(sdp),
            (None, Step::Applying | Step::Accepting) => {
                self.waiting_offer = Some(WaitingOffer { sdp, under_current: false });
            }
            (attempt, _) => self.answer(now, sdp, attempt),
        }
    }

    /// An offer under the attempt that there is: a renegotiation, unless it is the same one once more.
    fn same_attempt(&mut self, sdp: String) {
        let Some(current) = &self.current else { return };
        if current.own_offer_outstanding() || current.remote_offer.as_ref() == Some(&sdp) {
            return;
        }
        match current.step {
            Step::Stable => self.renegotiate(sdp),
            _ => self.waiting_offer = Some(WaitingOffer { sdp, under_current: true }),
        }
    }

    /// The connection that is there answers another offer.
    fn renegotiate(&mut self, sdp: String) {
        if let Some(current) = &mut self.current {
            current.step = Step::Accepting;
            current.remote_offer = Some(sdp.clone());
            self.actions.push_back(Action::AcceptOffer { connection: current.connection, sdp });
        }
    }

    pub(super) fn offer_created(&mut self, connection: ConnectionNumber, sdp: String) {
        let Some(current) = self.current_if(connection, Step::Offering) else { return };
        current.step = Step::AwaitingAnswer;
        let (attempt, unsent) = (current.name.clone(), current.unsent.take());
        self.send_description(Message::Offer { sdp, attempt: attempt.clone() }, attempt.as_deref(), unsent);
    }

    pub(super) fn answer_created(&mut self, now: u64, connection: ConnectionNumber, sdp: String) {
        let Some(current) = self.current_if(connection, Step::Accepting) else { return };
        let (attempt, unsent) = (current.name.clone(), current.unsent.take());
        self.send_description(Message::Answer { sdp, attempt: attempt.clone() }, attempt.as_deref(), unsent);
        self.stable(now);
    }

    fn send_description(&mut self, message: Message, attempt: Option<&str>, unsent: Option<Vec<Option<IceCandidate>>>) {
        self.actions.push_back(Action::Send(message));
        for candidate in unsent.unwrap_or_default() {
            self.actions.push_back(Action::Send(candidate_message(candidate, attempt.map(str::to_owned))));
        }
    }

    pub(super) fn remote_answer(&mut self, sdp: String, attempt: Option<&str>) {
        let Some(current) = &mut self.current else { return };
        if current.step == Step::AwaitingAnswer && (attempt.is_none() || attempt == current.name.as_deref()) {
            current.step = Step::Applying;
            self.actions.push_back(Action::ApplyAnswer { connection: current.connection, sdp });
        }
    }

    pub(super) fn answer_applied(&mut self, now: u64, connection: ConnectionNumber) {
        if self.current_if(connection, Step::Applying).is_some() {
            self.stable(now);
        }
    }

    /// Both descriptions are in place: what waited for that goes on. Candidates that wait together with an offer are
    /// that offer's.
    fn stable(&mut self, now: u64) {
        let Some(current) = &mut self.current else { return };
        (current.step, current.has_remote) = (Step::Stable, true);
        let (connection, open) = (current.connection, current.open);
        match self.waiting_offer.take() {
            Some(offer) if offer.under_current || open => return self.renegotiate(offer.sdp),
            Some(offer) => return self.answer(now, offer.sdp, None),
            None => {}
        }
        let name = self.current.as_ref().and_then(|current| current.name.as_deref());
        for candidate in self.held.take(name) {
            self.actions.push_back(Action::AddCandidate { connection, candidate });
        }
    }

    pub(super) fn remote_candidate(&mut self, candidate: Option<IceCandidate>, attempt: Option<String>) {
        if attempt.as_deref().is_some_and(|name| self.past.contains(name)) {
            return;
        }
        let current = self.waiting_offer.is_none() && attempt.as_deref().is_none_or(|name| self.is_current(name));
        match &self.current {
            Some(Attempt { connection, has_remote: true, .. }) if current => {
                self.actions.push_back(Action::AddCandidate { connection: *connection, candidate });
            }
            _ => self.held.push(attempt, candidate),
        }
    }

    pub(super) fn local_candidate(&mut self, connection: ConnectionNumber, candidate: Option<IceCandidate>) {
        let Some(current) = self.current.as_mut().filter(|current| current.connection == connection) else { return };
        match &mut current.unsent {
            Some(unsent) => unsent.push(candidate),
            None => {
                let attempt = current.name.clone();
                self.actions.push_back(Action::Send(candidate_message(candidate, attempt)));
            }
        }
    }

    pub(super) fn operation_failed(&mut self, now: u64, connection: ConnectionNumber, message: &str) {
        let Some(current) = self.current.as_mut().filter(|current| current.connection == connection) else { return };
        let (step, has_remote) = (current.step, current.has_remote);
        match step {
            Step::Offering => self.retry(now, message),
            Step::Accepting | Step::Applying => {
                self.refuse(step, message);
                match step {
                    // A renegotiation that can't be done leaves the connection as it was.
                    _ if has_remote => self.stable(now),
                    Step::Applying => self.retry(now, message),
                    _ => self.drop_connection(),
                }
            }
            Step::AwaitingAnswer | Step::Stable => {}
        }
    }

    /// The other side's description can't be used: the program is told, and so is the other side.
    fn refuse(&mut self, step: Step, message: &str) {
        let what = if step == Step::Applying { "answer" } else { "offer" };
        let attempt = self.current.as_ref().and_then(|current| current.name.clone());
        self.actions.push_back(Action::Refused { message: format!("its {what} can't be used: {message}") });
        self.actions.push_back(Action::Send(Message::Refusal { message: message.to_owned(), attempt }));
    }

    /// The other side can't use this side's description. Time decides what follows, as for one that says nothing.
    pub(super) fn remote_refusal(&mut self, message: &str, attempt: Option<&str>) {
        if self.current.is_none() || attempt.is_some_and(|name| !self.is_current(name)) {
            return;
        }
        let message = format!("it can't use this side's description: {message}");
        if self.refusal.as_ref() != Some(&message) {
            self.refusal = Some(message.clone());
            self.actions.push_back(Action::Refused { message });
        }
    }
}

/// What a peer is told always says which stream it is about: a browser makes no `RTCIceCandidate` of one that does not.
fn candidate_message(candidate: Option<IceCandidate>, attempt: Option<String>) -> Message {
    let mut candidate = candidate.unwrap_or_default();
    if candidate.sdp_mid.is_none() && candidate.sdp_m_line_index.is_none() {
        candidate.sdp_m_line_index = Some(0);
    }
    Message::Candidate { candidate, attempt }
}
