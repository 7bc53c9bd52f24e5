//! What a room says to its members, and the text of it: made when the first of them needs it, and once for all.

use std::{cell::OnceCell, sync::Arc, task::Waker};

use grtc_protocol::server::{Forward, PeerAway, PeerBack, PeerJoined, PeerLeft, PeerUpdated, RoomState, encode};

use super::{
    Text,
    pool::{Held, Pool},
    wakes::Wakes,
};

/// What a member is told.
pub(crate) enum Notice<'a> {
    /// Who is there, to a newcomer.
    RoomState(RoomState<'a>),
    Joined(PeerJoined<'a>),
    Left(PeerLeft<'a>),
    Updated(PeerUpdated<'a>),
    Away(PeerAway<'a>),
    Back(PeerBack<'a>),
    Signal(Forward<'a>),
    Direct(Forward<'a>),
    /// With its number in the room.
    Broadcast(Forward<'a>, u64),
    /// What its own connection's task answers.
    Answer(Text),
}

/// A notice on its way to one member or to many. Each way of writing it that members understand has a place here for its
/// text; grtc's own is the only one so far.
pub(crate) struct Frame<'a> {
    notice: Notice<'a>,
    text: OnceCell<Text>,
    kept: OnceCell<Arc<Held>>,
    wakes: Wakes,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(notice: Notice<'a>) -> Self {
        Self { notice, text: OnceCell::new(), kept: OnceCell::new(), wakes: Wakes::default() }
    }

    /// The frame as docs/PROTOCOL.md has it.
    pub(crate) fn text(&self) -> Text {
        let encoded = || {
            Text::from(match &self.notice {
                Notice::RoomState(state) => encode(state),
                Notice::Joined(joined) => encode(joined),
                Notice::Left(left) => encode(left),
                Notice::Updated(updated) => encode(updated),
                Notice::Away(away) => encode(away),
                Notice::Back(back) => encode(back),
                Notice::Signal(forward) => forward.signal(),
                Notice::Direct(forward) => forward.direct(),
                Notice::Broadcast(forward, seq) => forward.broadcast(*seq),
                Notice::Answer(text) => return text.clone(),
            })
        };
        self.text.get_or_init(encoded).clone()
    }

    /// Its bytes.
    pub(crate) fn len(&self) -> usize {
        self.text().len()
    }

    /// The same to be kept, once for all who do.
    pub(crate) fn kept(&self, pool: &Pool) -> Arc<Held> {
        self.kept.get_or_init(|| pool.hold(self.text())).clone()
    }

    /// Wakes who waits for it: soon, if it goes to many.
    pub(crate) fn wake(&self, waker: Waker) {
        self.wakes.add(waker);
    }
}
