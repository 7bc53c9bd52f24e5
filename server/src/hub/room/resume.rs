//! Going away and coming back.

use std::time::Duration;

use grtc_protocol::{
    CloseCode, PeerId,
    server::{LeaveReason, PeerAway, PeerBack},
};
use jiff::Timestamp;

use crate::auth::Bearer;

use super::{
    super::{
        Text,
        notice::{Frame, Notice},
        token::Token,
    },
    Room, Stamp,
    member::{Member, Newcomer},
    seat::{Away, Place, Session},
};

impl<M: Member> Room<M> {
    /// How many are away.
    pub(crate) fn away(&self) -> usize {
        self.away
    }

    /// A member has lost its connection. If it asked for that it keeps its place for a while, and has left otherwise.
    pub(crate) fn lose(&mut self, place: &Place, now: Timestamp) {
        let told = self.links;
        let Some(seat) = self.seat(place) else { return };
        let Some(session) = &mut seat.session else { return self.leave(place, LeaveReason::Lost, now) };
        session.away = Some(Away { since: now, told });
        seat.member = None;
        self.away += 1;
        let stamp = Stamp::new(now);
        let away = Notice::Away(PeerAway { peer_id: place.peer.clone(), timestamp: stamp.text().into() });
        self.tell(&Frame::new(away), |peer, _| *peer != place.peer);
    }

    /// Does what is due: who was away for too long has left.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if self.away == 0 {
            return;
        }
        let mut due: Vec<PeerId> = Vec::new();
        for (peer, seat) in &mut self.seats {
            let Some(away) = seat.session.as_mut().and_then(|session| session.away.as_mut()) else { continue };
            // A clock that was set back begins the time anew.
            away.since = away.since.min(now);
            if Duration::try_from(now.duration_since(away.since)).is_ok_and(|gone| gone >= self.grace) {
                due.push(peer.clone());
            }
        }
        for peer in due {
            self.remove(&peer, LeaveReason::Lost, now);
        }
    }

    /// Gives a place back to who has its token, with all that was missed.
    ///
    /// # Errors
    /// The newcomer, when the place is nobody's or can't be given back whole: it is free then. Or the code when it is somebody
    /// else's.
    pub(super) fn come_back<'a>(
        &mut self,
        newcomer: Newcomer<'a, M>,
        now: Timestamp,
    ) -> Result<Place, Result<Newcomer<'a, M>, CloseCode>> {
        let Some(seat) = self.seats.get_mut(&newcomer.peer) else { return Err(Ok(newcomer)) };
        let Some(back) =
            newcomer.asks.back.as_ref().filter(|back| seat.knows(back) && seat.belongs_to(&newcomer.bearer))
        else {
            return Err(Err(CloseCode::PeerIdTaken));
        };
        let before = seat.member.take();
        if let Some(before) = &before {
            before.close(CloseCode::Replaced);
        }
        let token =
            newcomer.token.filter(|token| seat.session.as_mut().is_some_and(|session| session.resume(back, *token)));
        let Some(token) = token else {
            self.remove(&newcomer.peer, LeaveReason::Expired, now);
            return Err(Ok(newcomer));
        };
        Ok(self.seat_again(newcomer, token, now))
    }

    fn seat_again(&mut self, newcomer: Newcomer<'_, M>, token: Token, now: Timestamp) -> Place {
        let Newcomer { peer, member, ice_servers, bearer, .. } = newcomer;
        member.deliver(&Frame::new(Notice::RoomState(self.state(&peer, ice_servers, Some(token), Some(true)))));
        self.links += 1;
        let place = Place { peer, recovered: true, keeps: true, link: self.links };
        let mut told = None;
        if let Some(seat) = self.seats.get_mut(&place.peer) {
            (seat.link, seat.bearer) = (place.link, bearer);
            if let Some(session) = &mut seat.session {
                session.missed().for_each(|text| member.replay(text.clone()));
                told = session.away.take().map(|away| away.told);
            }
            seat.member = Some(member);
        }
        if let Some(told) = told {
            self.away -= 1;
            let stamp = Stamp::new(now);
            let back = Notice::Back(PeerBack { peer_id: place.peer.clone(), timestamp: stamp.text().into() });
            self.tell(&Frame::new(back), |peer, seat| *peer != place.peer && seat.joined <= told);
        }
        place
    }

    /// The client has shown a newer token.
    pub(crate) fn renew(&mut self, place: &Place, bearer: Bearer) {
        if let Some(seat) = self.seats.get_mut(&place.peer).filter(|seat| seat.link == place.link) {
            seat.bearer = bearer;
        }
    }

    /// The client has got what it came back for.
    pub(crate) fn confirm(&mut self, place: &Place) {
        if let Some(session) = self.session(place) {
            session.confirm();
        }
    }

    /// Hands over an answer to a member that may miss it and come back for it. Who holds the place no more gets none.
    pub(crate) fn answer(&mut self, place: &Place, text: Text) {
        if let Some(seat) = self.seat(place) {
            seat.deliver(&Frame::new(Notice::Answer(text)));
        }
    }

    /// Whether a message of a member that keeps its place is to be delivered: it holds the place, and this is not one that
    /// it has sent before.
    pub(super) fn is_new(&mut self, from: &Place, id: Option<&str>) -> bool {
        self.session(from).is_some_and(|session| id.is_none_or(|id| !session.has_sent(id)))
    }

    pub(super) fn remember(&mut self, from: &Place, id: Option<&str>) {
        if let Some((session, id)) = self.session(from).zip(id) {
            session.remember(id);
        }
    }

    fn session(&mut self, place: &Place) -> Option<&mut Session> {
        self.seat(place)?.session.as_deref_mut()
    }
}
