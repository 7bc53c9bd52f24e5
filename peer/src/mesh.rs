//! The room as pairs: who is in it, and one [`Negotiator`] for each. Pure, like the negotiator.
//!
//! A pair that is open outlives the signaling: when a peer is gone from the room because its link broke, or this side's
//! did, its open channel is kept for a while. It ends when the channel ends, when the time is over, or at once when the
//! peer left on purpose.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use grtc_protocol::{PeerId, server::LeaveReason, signal::Signal};

use crate::{
    limits::ABSENT_GRACE_MS,
    negotiator::{Action, Input, Negotiator, PairState},
};

/// Names a pair: a peer, and which of the pairs with it, since a peer can come, go and come again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PairKey {
    pub(crate) peer: PeerId,
    pub(crate) epoch: u64,
}

/// Something to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// What the pair's negotiator says.
    Act(PairKey, Action),
    /// The pair is over; its connection was closed before.
    Removed(PairKey),
}

#[derive(Debug)]
struct Pair {
    epoch: u64,
    negotiator: Negotiator,
    /// The peer is not in the room: the pair ends at this instant unless it comes back.
    absent_until: Option<u64>,
}

impl Pair {
    fn is_open(&self) -> bool {
        self.negotiator.state() == Some(PairState::Connected)
    }
}

/// All pairs of this peer.
#[derive(Debug)]
pub(crate) struct Mesh {
    me: PeerId,
    rng: fastrand::Rng,
    epochs: u64,
    pairs: BTreeMap<PeerId, Pair>,
    outputs: VecDeque<Output>,
}

impl Mesh {
    /// An empty mesh. `rng` names the attempts.
    pub(crate) fn new(me: PeerId, rng: fastrand::Rng) -> Self {
        Self { me, rng, epochs: 0, pairs: BTreeMap::new(), outputs: VecDeque::new() }
    }

    /// This side joined, or joined again: it offers to everybody that it has no open channel to.
    pub(crate) fn roster(&mut self, now: u64, peers: &[PeerId]) {
        let gone: Vec<PeerId> = self.pairs.keys().filter(|peer| !peers.contains(peer)).cloned().collect();
        for peer in &gone {
            self.absent(now, peer);
        }
        for peer in peers {
            self.present(now, peer, true);
        }
    }

    /// Somebody came, and offers if it has no open channel to this side.
    pub(crate) fn peer_joined(&mut self, now: u64, peer: &PeerId) {
        self.present(now, peer, false);
    }

    /// Somebody went.
    pub(crate) fn peer_left(&mut self, now: u64, peer: &PeerId, reason: Option<LeaveReason>) {
        use LeaveReason::{Lost, NodeLost, Replaced, Slow};
        match reason {
            Some(Lost | NodeLost | Replaced | Slow) => self.absent(now, peer),
            _ => self.remove(now, peer),
        }
    }

    /// A signal came. One of a peer that is not in the room is dropped.
    pub(crate) fn signal(&mut self, now: u64, from: &PeerId, signal: Signal) {
        let input = match signal {
            Signal::Offer { offer, attempt, .. } => Input::RemoteOffer { sdp: offer.sdp, attempt },
            Signal::Answer { answer, attempt, .. } => Input::RemoteAnswer { sdp: answer.sdp, attempt },
            Signal::IceCandidate { refused: Some(message), attempt, .. } => Input::RemoteRefusal { message, attempt },
            Signal::IceCandidate { candidate, attempt, .. } => Input::RemoteCandidate { candidate, attempt },
        };
        if self.pairs.get(from).is_some_and(|pair| pair.absent_until.is_none()) {
            self.handle(now, from, input);
        }
    }

    /// Something happened to a connection of this pair.
    pub(crate) fn input(&mut self, now: u64, key: &PairKey, input: Input) {
        let Some(pair) = self.pairs.get(&key.peer).filter(|pair| pair.epoch == key.epoch) else { return };
        match (&input, pair.absent_until) {
            // There is nobody to offer to.
            (Input::ConnectionLost { connection, .. }, Some(_)) => {
                if pair.negotiator.connection() == Some(*connection) {
                    self.remove(now, &key.peer);
                }
            }
            _ => self.handle(now, &key.peer, input),
        }
    }

    /// The instant of `poll_timeout` has come.
    pub(crate) fn tick(&mut self, now: u64) {
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        let over: Vec<PeerId> =
            self.pairs.iter().filter(|(_, pair)| due(pair.absent_until)).map(|(peer, _)| peer.clone()).collect();
        for peer in &over {
            self.remove(now, peer);
        }
        let waiting: Vec<PeerId> = (self.pairs.iter())
            .filter(|(_, pair)| due(pair.negotiator.poll_timeout()))
            .map(|(peer, _)| peer.clone())
            .collect();
        for peer in &waiting {
            self.handle(now, peer, Input::Tick);
        }
    }

    /// This side leaves: every pair ends.
    pub(crate) fn leave(&mut self, now: u64) {
        let peers: Vec<PeerId> = self.pairs.keys().cloned().collect();
        for peer in &peers {
            self.remove(now, peer);
        }
    }

    /// The next thing to do.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Mesh::tick`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        self.pairs.values().flat_map(|pair| [pair.negotiator.poll_timeout(), pair.absent_until]).flatten().min()
    }

    fn present(&mut self, now: u64, peer: &PeerId, initiator: bool) {
        if *peer == self.me {
            return;
        }
        if let Some(pair) = self.pairs.get_mut(peer)
            && pair.is_open()
        {
            pair.absent_until = None;
            return;
        }
        self.remove(now, peer);
        self.epochs += 1;
        let polite = self.me > *peer;
        let seed = format!("{:08x}", self.rng.u32(..));
        let pair =
            Pair { epoch: self.epochs, negotiator: Negotiator::new(initiator, polite, seed), absent_until: None };
        self.pairs.insert(peer.clone(), pair);
        self.handle(now, peer, Input::Start);
    }

    fn absent(&mut self, now: u64, peer: &PeerId) {
        match self.pairs.get_mut(peer) {
            Some(pair) if pair.is_open() => {
                pair.absent_until.get_or_insert(now + ABSENT_GRACE_MS);
            }
            _ => self.remove(now, peer),
        }
    }

    fn remove(&mut self, now: u64, peer: &PeerId) {
        self.handle(now, peer, Input::Close);
        if let Some(pair) = self.pairs.remove(peer) {
            self.outputs.push_back(Output::Removed(PairKey { peer: peer.clone(), epoch: pair.epoch }));
        }
    }

    fn handle(&mut self, now: u64, peer: &PeerId, input: Input) {
        let Some(pair) = self.pairs.get_mut(peer) else { return };
        pair.negotiator.handle(now, input);
        while let Some(action) = pair.negotiator.poll_action() {
            self.outputs.push_back(Output::Act(PairKey { peer: peer.clone(), epoch: pair.epoch }, action));
        }
    }
}
