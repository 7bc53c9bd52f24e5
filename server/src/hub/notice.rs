//! What a room says to its members, and the text of it: made when the first of them needs it, and once for all.

use std::cell::OnceCell;

use grtc_protocol::server::{Forward, PeerJoined, PeerLeft, RoomState, encode};

use super::Text;

/// What a member is told.
pub(crate) enum Notice<'a> {
    /// Who is there, to a newcomer.
    RoomState(RoomState<'a>),
    Joined(PeerJoined<'a>),
    Left(PeerLeft<'a>),
    Signal(Forward<'a>),
    Direct(Forward<'a>),
    /// With its number in the room.
    Broadcast(Forward<'a>, u64),
}

/// A notice on its way to one member or to many. Each way of writing it that members understand has a place here for its
/// text; grtc's own is the only one so far.
pub(crate) struct Frame<'a> {
    notice: Notice<'a>,
    text: OnceCell<Text>,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(notice: Notice<'a>) -> Self {
        Self { notice, text: OnceCell::new() }
    }

    /// The frame as docs/PROTOCOL.md has it.
    pub(crate) fn text(&self) -> Text {
        let encoded = || match &self.notice {
            Notice::RoomState(state) => encode(state),
            Notice::Joined(joined) => encode(joined),
            Notice::Left(left) => encode(left),
            Notice::Signal(forward) => forward.signal(),
            Notice::Direct(forward) => forward.direct(),
            Notice::Broadcast(forward, seq) => forward.broadcast(*seq),
        };
        self.text.get_or_init(|| encoded().into()).clone()
    }
}
