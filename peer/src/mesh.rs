//! Who is in the room, and what has to be done about each of them. Pure: what happened and the time go in, effects come
//! out; the twin of the page's, held to it by `protocol/fixtures/mesh`.
//!
//! Data channels do not need the server. So a pair whose channel is open stays when the server says that the other one
//! was lost, or restarts and knows nobody any more: it is only marked as away, and ends when its channel does, or when
//! it has been missing for so long that it will not come back.

#[cfg(test)]
mod golden;

use grtc_protocol::{PeerId, server::LeaveReason};
use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};

use crate::limits::ABSENT_GRACE_MS;

/// What happened. The names are those of the golden traces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Input {
    /// The server let this side in, as `me`, and says who was there.
    RoomState { me: PeerId, peers: Vec<PeerId> },
    /// Somebody came, and is going to offer.
    PeerJoined { peer: PeerId },
    /// Somebody went.
    PeerLeft { peer: PeerId, reason: LeaveReason },
    /// The pair's channel is open.
    Opened { peer: PeerId },
    /// The pair's channel is open no more.
    Lost { peer: PeerId },
    /// The instant of `poll_timeout` has come.
    Tick,
    /// This side leaves.
    Leave,
}

/// What to do, in the order given.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// Begin a pair with this peer, in the place of the one that there may be. The `initiator` offers.
    Start { peer: PeerId, initiator: bool },
    /// The pair is over.
    Close { peer: PeerId, reason: LeaveReason },
    /// The server does not know this peer now; its open channel goes on.
    Away { peer: PeerId, reason: LeaveReason },
    /// The server knows it again.
    Back { peer: PeerId },
}

#[derive(Debug, Default)]
struct Member {
    open: bool,
    /// It is not in the room, and the pair ends at this instant unless it comes back.
    away_until: Option<u64>,
}

/// Everybody else, in the order in which they became known.
#[derive(Debug, Default)]
pub(crate) struct Mesh {
    me: Option<PeerId>,
    members: IndexMap<PeerId, Member>,
}

impl Mesh {
    /// Takes what happened at `now` (milliseconds of any clock that does not go back), and says what to do.
    pub(crate) fn handle(&mut self, now: u64, input: Input) -> Vec<Effect> {
        match input {
            Input::RoomState { me, peers } => self.room_state(now, me, peers),
            Input::PeerJoined { peer } => self.present(peer, false).into_iter().collect(),
            Input::PeerLeft { peer, reason } => self.missing(now, peer, reason).into_iter().collect(),
            Input::Opened { peer } => {
                if let Some(member) = self.members.get_mut(&peer) {
                    member.open = true;
                }
                vec![]
            }
            Input::Lost { peer } => self.lost(peer).into_iter().collect(),
            Input::Tick => self.tick(now),
            Input::Leave => close_all(self.members.drain(..), LeaveReason::Left),
        }
    }

    /// When [`Input::Tick`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        self.members.values().filter_map(|member| member.away_until).min()
    }

    /// Whether this peer is in the room: nobody else has anything to say.
    pub(crate) fn is_present(&self, peer: &PeerId) -> bool {
        self.members.get(peer).is_some_and(|member| member.away_until.is_none())
    }

    /// The newcomer offers to everybody to whom it has no open channel.
    fn room_state(&mut self, now: u64, me: PeerId, peers: Vec<PeerId>) -> Vec<Effect> {
        self.me = Some(me);
        let roster: IndexSet<PeerId> = peers.into_iter().collect();
        let gone: Vec<PeerId> = self.members.keys().filter(|peer| !roster.contains(*peer)).cloned().collect();
        let mut effects: Vec<Effect> =
            gone.into_iter().filter_map(|peer| self.missing(now, peer, LeaveReason::Lost)).collect();
        effects.extend(roster.into_iter().filter_map(|peer| self.present(peer, true)));
        effects
    }

    fn tick(&mut self, now: u64) -> Vec<Effect> {
        let over = self.members.extract_if(.., |_, member| member.away_until.is_some_and(|until| until <= now));
        close_all(over, LeaveReason::Expired)
    }

    fn present(&mut self, peer: PeerId, initiator: bool) -> Option<Effect> {
        if self.me.as_ref() == Some(&peer) {
            return None;
        }
        match self.members.get_mut(&peer) {
            Some(Member { open: true, away_until }) => away_until.take().map(|_| Effect::Back { peer }),
            _ => {
                self.members.insert(peer.clone(), Member::default());
                Some(Effect::Start { peer, initiator })
            }
        }
    }

    fn missing(&mut self, now: u64, peer: PeerId, reason: LeaveReason) -> Option<Effect> {
        use LeaveReason::{Expired, Lost, NodeLost, Replaced, Slow};
        let may_come_back = matches!(reason, Expired | Lost | NodeLost | Replaced | Slow);
        match self.members.get_mut(&peer)? {
            Member { open: true, away_until: Some(_) } if may_come_back => None,
            Member { open: true, away_until } if may_come_back => {
                *away_until = Some(now + ABSENT_GRACE_MS);
                Some(Effect::Away { peer, reason })
            }
            _ => self.close(peer, reason),
        }
    }

    fn lost(&mut self, peer: PeerId) -> Option<Effect> {
        let member = self.members.get_mut(&peer)?;
        member.open = false;
        // There is nobody to offer to.
        member.away_until.and_then(|_| self.close(peer, LeaveReason::Lost))
    }

    fn close(&mut self, peer: PeerId, reason: LeaveReason) -> Option<Effect> {
        self.members.shift_remove(&peer).map(|_| Effect::Close { peer, reason })
    }
}

fn close_all(members: impl Iterator<Item = (PeerId, Member)>, reason: LeaveReason) -> Vec<Effect> {
    members.map(|(peer, _)| Effect::Close { peer, reason }).collect()
}
