//! What administrators see of a room, and do to it.

use grtc_protocol::{CloseCode, PeerId, server::LeaveReason};
use jiff::Timestamp;

use super::{Room, member::Member, seat::Seat, view::PeerView};
use crate::auth::Caller;

impl<M: Member> Room<M> {
    /// Everybody in it, in the order of their joining.
    pub(crate) fn view(&self) -> Vec<PeerView> {
        let view = |(peer, seat): (&PeerId, &Seat<M>)| PeerView {
            peer: peer.clone(),
            sub: seat.bearer.as_ref().and_then(|caller| caller.sub.clone()),
            joined_at: seat.joined_at,
            away: seat.member.is_none(),
            traffic: seat.traffic,
            queued_bytes: seat.member.as_ref().map_or(0, Member::queued),
        };
        self.seats.iter().map(view).collect()
    }

    /// Sends a peer away, if it is there; the others learn it at once.
    pub(crate) fn kick(&mut self, peer: &PeerId, now: Timestamp) {
        let Some(seat) = self.seats.get(peer) else { return };
        if let Some(member) = &seat.member {
            member.close(CloseCode::Kicked);
        }
        self.remove(peer, LeaveReason::Kicked, now);
    }

    /// Ends every connection, and every place that is kept.
    pub(crate) fn clear(&mut self, code: CloseCode, now: Timestamp) {
        self.members().for_each(|member| member.close(code));
        self.seats.clear();
        self.away = 0;
        self.empty_since = Some(now);
    }

    /// Ends the connections of those of whom `is` is true.
    pub(crate) fn close_where(&self, code: CloseCode, is: impl Fn(&Caller) -> bool) {
        let theirs = self.seats.values().filter(|seat| seat.bearer.as_deref().is_some_and(&is));
        theirs.filter_map(|seat| seat.member.as_ref()).for_each(|member| member.close(code));
    }
}
