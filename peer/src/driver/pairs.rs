//! All pairs: begins and ends them as the mesh says, and hands each what is for it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    net::IpAddr,
};

use futures_util::future::join_all;
use grtc_protocol::PeerId;
use tokio::sync::oneshot;

use super::{
    pair::{Output, Pair},
    surroundings::{Surroundings, Telling},
};
use crate::{
    backend::{FromConnection, PairKey},
    delivery::Delivery,
    liveness,
    mesh::{Effect, Mesh},
    negotiator::{Input, Negotiator},
    report::PeerStatus,
};

pub(super) struct Pairs {
    me: PeerId,
    /// Names the attempts.
    rng: fastrand::Rng,
    epochs: u64,
    pairs: BTreeMap<PeerId, Pair>,
    /// Whose machines may have something to do.
    busy: VecDeque<PeerId>,
    around: Surroundings,
}

impl Pairs {
    pub(super) fn new(me: PeerId, rng: fastrand::Rng, around: Surroundings) -> Self {
        Self { me, rng, epochs: 0, pairs: BTreeMap::new(), busy: VecDeque::new(), around }
    }

    /// Does what the mesh says.
    pub(super) fn apply(&mut self, now: u64, effect: Effect) {
        match effect {
            Effect::Start { peer, initiator } => self.start(now, &peer, initiator),
            Effect::Close { peer, reason } => {
                tracing::debug!(%peer, ?reason, "a pair is over");
                self.close(&peer);
            }
            Effect::Away { peer, reason } => tracing::debug!(%peer, ?reason, "a peer is away, and its channel is kept"),
            Effect::Back { peer } => tracing::debug!(%peer, "a peer is back"),
        }
    }

    fn start(&mut self, now: u64, peer: &PeerId, initiator: bool) {
        self.close(peer);
        self.epochs += 1;
        let seed = format!("{:08x}", self.rng.u32(..));
        let negotiator = Negotiator::new(initiator, self.me > *peer, seed);
        let delivery = Delivery::new(peer.clone(), self.around.inbox.clone(), &mut self.rng);
        let key = PairKey { peer: peer.clone(), epoch: self.epochs };
        self.pairs.insert(peer.clone(), Pair::new(key, negotiator, delivery));
        self.handle(now, peer, Input::Start);
    }

    fn close(&mut self, peer: &PeerId) {
        if let Some(mut pair) = self.pairs.remove(peer) {
            pair.close(&mut self.around);
        }
    }

    /// Gives the pair's negotiator something.
    pub(super) fn handle(&mut self, now: u64, peer: &PeerId, input: Input) {
        if let Some(pair) = self.pairs.get_mut(peer) {
            pair.negotiate(now, input);
            self.busy.push_back(peer.clone());
        }
    }

    /// The other one is there, or the way to it is.
    pub(super) fn present(&mut self, now: u64, peer: &PeerId) {
        if let Some(pair) = self.pairs.get_mut(peer) {
            pair.live(now, liveness::Input::Present);
            self.busy.push_back(peer.clone());
        }
    }

    /// This machine has these addresses now, or it has slept.
    pub(super) fn network_changed(&mut self, now: u64, addresses: &BTreeSet<IpAddr>, slept: bool) {
        for (peer, pair) in &mut self.pairs {
            pair.network_changed(now, addresses, slept);
            self.busy.push_back(peer.clone());
        }
    }

    /// Takes what a connection says. What comes of one of an earlier pair is ignored.
    pub(super) fn event(&mut self, now: u64, (key, connection, event): FromConnection) {
        if let Some(pair) = self.pairs.get_mut(&key.peer).filter(|pair| *pair.key() == key) {
            pair.event(now, connection, event, &mut self.around);
            self.busy.push_back(key.peer);
        }
    }

    /// The instant of [`Pairs::poll_timeout`] has come.
    pub(super) fn tick(&mut self, now: u64) {
        for (peer, pair) in &mut self.pairs {
            if pair.poll_timeout().is_some_and(|at| at <= now) {
                pair.tick(now);
                self.busy.push_back(peer.clone());
            }
        }
    }

    /// When [`Pairs::tick`] is due.
    pub(super) fn poll_timeout(&self) -> Option<u64> {
        self.pairs.values().filter_map(Pair::poll_timeout).min()
    }

    /// Does what their machines say, up to what others have to know.
    pub(super) fn poll_output(&mut self, now: u64) -> Option<Output> {
        while let Some(peer) = self.busy.front() {
            let output = self.pairs.get_mut(peer).and_then(|pair| pair.poll_output(now, &mut self.around));
            if output.is_some() {
                return output;
            }
            self.busy.pop_front();
        }
        None
    }

    /// What the program is to be told, since this was asked last.
    pub(super) fn told(&mut self) -> impl Iterator<Item = Telling> + '_ {
        self.around.told.drain(..)
    }

    /// Nothing is sent any more.
    pub(super) fn end_channels(&self) {
        self.around.channels.clear();
    }

    /// When the program was last told of an open channel.
    pub(super) fn announced_last(&self) -> Option<u64> {
        self.pairs.values().filter_map(|pair| pair.announced_at).max()
    }

    /// Whether the program was told of any open channel.
    pub(super) fn any_open(&self) -> bool {
        self.pairs.values().any(Pair::is_announced)
    }

    /// Asks every connection how it is and answers with all of them, by name.
    pub(super) fn status(
        &self,
        mesh: &Mesh,
        answer: oneshot::Sender<Vec<PeerStatus>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let asked: Vec<_> = self.pairs.iter().map(|(peer, pair)| pair.status(mesh.is_present(peer))).collect();
        async move {
            // Whoever asked may have gone.
            let _ = answer.send(join_all(asked).await);
        }
    }
}
