//! Who is in a room, and who wants to be.

use grtc_protocol::{CloseCode, PeerId};
use serde_json::value::RawValue;

use crate::auth::Bearer;

use super::super::{Text, notice::Frame, token::Token};

/// A way to somebody in a room, here or elsewhere.
pub(crate) trait Member {
    /// Hands a frame over. A room never waits: who can't take it is gone.
    fn deliver(&self, frame: &Frame<'_>);
    /// Hands over one of many that were sent before its time: they are bounded already.
    fn replay(&self, text: Text);
    /// Bytes that wait for it.
    fn queued(&self) -> usize;
    /// Ends the connection: somebody else holds the place.
    fn close(&self, code: CloseCode);
}

/// Somebody who wants to come in.
pub(crate) struct Newcomer<'a, M> {
    pub(crate) peer: PeerId,
    pub(crate) member: M,
    /// What it gets to come back with, if it asked for that.
    pub(crate) token: Option<Token>,
    pub(crate) asks: Asks,
    pub(crate) ice_servers: &'a RawValue,
    /// Whose place it will be, as its token says.
    pub(crate) bearer: Bearer,
}

/// What a newcomer asks for.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    /// To keep its place when its connection is lost.
    pub(crate) resume: bool,
    /// A place that it had.
    pub(crate) back: Option<Back>,
    /// So many of the room's last broadcasts.
    pub(crate) history: usize,
    /// The host that it has come to, as it named it.
    pub(crate) host: Option<Box<str>>,
}

/// Who comes back, as it says itself.
#[derive(Debug)]
pub(crate) struct Back {
    /// None if it was no token at all.
    pub(crate) token: Option<Token>,
    /// Text frames that it got after its last `room_state`.
    pub(crate) received: u64,
}
