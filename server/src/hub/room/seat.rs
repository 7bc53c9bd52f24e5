//! A place in a room, whoever is on it at the moment.

use std::{
    collections::VecDeque,
    hash::{BuildHasher as _, RandomState},
};

use grtc_protocol::{
    PeerId,
    limits::{RESUME_BYTES, RESUME_FRAMES, RESUME_IDS},
};
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::auth::Bearer;

use super::{
    super::{
        Text,
        caps::Claim,
        notice::{Frame, Notice},
        pool::Pool,
        token::Token,
    },
    kept::Kept,
    member::{Back, Member},
    view::Traffic,
};

/// What somebody who has joined holds: its place, as long as it is the one who holds it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) peer: PeerId,
    /// It was given by a token.
    pub(crate) recovered: bool,
    /// It may be given back by a token.
    pub(crate) keeps: bool,
    pub(super) link: u64,
}

/// What the room has for one peer.
pub(super) struct Seat<M> {
    /// None while its peer is away.
    pub(super) member: Option<M>,
    /// The number of the join that it was made by.
    pub(super) joined: u64,
    /// The number of the connection that holds it.
    pub(super) link: u64,
    pub(super) metadata: Option<Box<RawValue>>,
    /// Whose it is.
    pub(super) bearer: Bearer,
    pub(super) joined_at: Timestamp,
    pub(super) traffic: Traffic,
    /// What it takes to come back, of who asked for it.
    pub(super) session: Option<Box<Session>>,
    /// Counts it as a place of its `sub`, as long as there is the seat.
    pub(super) _claim: Option<Claim>,
}

/// What is kept of somebody who may come back.
pub(super) struct Session {
    token: Token,
    /// The token before, and the count that came with it, until the client is known to have the new one.
    before: Option<(Token, u64)>,
    kept: Kept,
    /// The last `id`s of what it has sent, as 64 bits of a hash that nobody can foresee.
    ids: VecDeque<u64>,
    hashes: RandomState,
    pub(super) away: Option<Away>,
}

#[derive(Clone, Copy)]
pub(super) struct Away {
    pub(super) since: Timestamp,
    /// Who has joined by then was told of it.
    pub(super) told: u64,
}

impl<M: Member> Seat<M> {
    /// Hands a frame over, now or later.
    pub(super) fn deliver(&mut self, frame: &Frame<'_>) {
        if let Some(session) = &mut self.session {
            session.kept.push(frame);
        }
        if let Some(member) = &self.member {
            member.deliver(frame);
            self.traffic.goes(frame.len());
        }
    }

    /// Hands over what was sent before its time.
    pub(super) fn replay(&mut self, text: Text) {
        if let Some(session) = &mut self.session {
            session.kept.push(&Frame::new(Notice::Answer(text.clone())));
        }
        if let Some(member) = &self.member {
            member.replay(text);
        }
    }

    /// Whether it is this one's, as far as tokens of authentication say.
    pub(super) fn belongs_to(&self, bearer: &Bearer) -> bool {
        let sub = |bearer: &Bearer| bearer.as_ref().map(|caller| caller.sub.clone());
        sub(&self.bearer) == sub(bearer)
    }

    /// Whether this token is its own.
    pub(super) fn knows(&self, back: &Back) -> bool {
        let Some((session, token)) = self.session.as_deref().zip(back.token) else { return false };
        // The last one but one is good for who got no answer to it, and only if nobody got one: its connection is gone.
        let before = session.before.is_some_and(|(before, _)| before.is(token)) & self.member.is_none();
        session.token.is(token) | before
    }
}

impl Session {
    pub(super) fn new(token: Token, pool: &Pool) -> Box<Self> {
        let kept = Kept::new(RESUME_FRAMES, RESUME_BYTES, pool);
        Box::new(Self { token, before: None, kept, ids: VecDeque::new(), hashes: RandomState::new(), away: None })
    }

    /// Goes on with this token, if all that the client has missed is there.
    pub(super) fn resume(&mut self, back: &Back, token: Token) -> bool {
        let again = self.before.filter(|(before, _)| back.token.is_some_and(|token| before.is(token)));
        // Who got no answer has received nothing since: its count is that of the last time, where the new one began.
        let received = match again {
            Some((_, received)) if received == back.received => 0,
            Some(_) => return false,
            None => back.received,
        };
        if !self.kept.has_all_after(received) {
            return false;
        }
        self.kept.begin_after(received);
        self.before = again.or(back.token.map(|token| (token, back.received)));
        self.token = token;
        true
    }

    /// What it has missed.
    pub(super) fn missed(&self) -> impl Iterator<Item = &Text> {
        self.kept.last(usize::MAX)
    }

    /// The client has its new token.
    pub(super) fn confirm(&mut self) {
        self.before = None;
    }

    pub(super) fn has_sent(&self, id: &str) -> bool {
        self.ids.contains(&self.hashes.hash_one(id))
    }

    pub(super) fn remember(&mut self, id: &str) {
        if self.ids.len() >= RESUME_IDS {
            self.ids.pop_front();
        }
        self.ids.push_back(self.hashes.hash_one(id));
    }
}
