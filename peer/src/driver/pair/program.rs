//! What the program is told of a pair.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{
    super::surroundings::{Surroundings, Telling},
    Output, Pair,
};
use crate::{
    backend::Command,
    channel::Channel,
    event::Event,
    liveness::PairState,
    report::{PeerStatus, Stage},
};

impl Pair {
    /// The pair is in another state.
    pub(super) fn enter(
        &mut self,
        now: u64,
        state: PairState,
        reason: String,
        around: &mut Surroundings,
    ) -> Option<Output> {
        tracing::debug!(peer = %self.key.peer, ?state, %reason, "a pair changed");
        let peer_id = self.key.peer.clone();
        match state {
            PairState::Connecting => {}
            PairState::Open => {
                self.announce(now, around);
                return Some(Output::Opened(peer_id));
            }
            PairState::Interrupted | PairState::Rebuilding => {
                if self.announced && self.interrupted.is_none() {
                    self.interrupted = Some(now);
                    around.tell(Event::Interrupted { peer_id, why: reason });
                    return Some(Output::Doubt);
                }
            }
            PairState::Failed => {
                let reached = self.stage.unwrap_or(Stage::Signaling);
                let stage = if self.lacks.is_some() { Stage::Local } else { reached };
                let message = format!("{reason}: {}", stage.explanation());
                around.channels.suspend(&self.key.peer);
                self.end_announced(around);
                around.tell(Event::Failed { peer_id: peer_id.clone(), stage, message });
                return (!self.keeps_messages).then_some(Output::Lost(peer_id));
            }
        }
        None
    }

    fn announce(&mut self, now: u64, around: &mut Surroundings) {
        let Some(open) = &self.open else { return };
        let peer_id = self.key.peer.clone();
        (self.stage, self.lacks) = (None, None);
        let mut lets_through = vec![open.deliver.clone()];
        if let Channel::Streams(delivery) = &open.channel {
            lets_through.push(delivery.told());
            if !std::mem::replace(&mut self.keeps_messages, true) {
                around.tracker.spawn(Arc::clone(delivery).hand_over(around.leaving.clone()));
            }
        }
        around.channels.insert(peer_id.clone(), open.channel.clone());
        let was_announced = std::mem::replace(&mut self.announced, true);
        self.announced_at = Some(now);
        let event = match self.interrupted.take().filter(|_| was_announced) {
            Some(since) => Event::Recovered { peer_id, gap: Duration::from_millis(now.saturating_sub(since)) },
            None => Event::Connected { peer_id, pair: open.pair.clone(), timings: open.timings },
        };
        around.told.push(Telling { event, lets_through });
    }

    /// What was sent and not delivered is lost, or waits for a connection that could not be made.
    pub(super) fn end_announced(&mut self, around: &mut Surroundings) {
        self.interrupted = None;
        if std::mem::take(&mut self.announced) {
            around.tell(Event::Disconnected { peer_id: self.key.peer.clone() });
        }
    }

    /// Asks the connection how it is.
    pub(in crate::driver) fn status(&self, present: bool) -> impl Future<Output = PeerStatus> + Send + 'static {
        let (sender, round_trip) = oneshot::channel();
        match &self.connection {
            Some((_, handle)) if self.announced => handle.command(Command::RoundTrip(sender)),
            _ => drop(sender),
        }
        let open = self.open.clone().filter(|_| self.announced);
        let status = PeerStatus {
            peer_id: self.key.peer.clone(),
            present,
            state: self.liveness.state(),
            stage: self.stage,
            pair: open.as_ref().map(|open| open.pair.clone()),
            timings: open.map(|open| open.timings),
            round_trip_ms: None,
        };
        async move { PeerStatus { round_trip_ms: round_trip.await.ok().flatten(), ..status } }
    }
}
