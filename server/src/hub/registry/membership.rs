//! What a member may ask about its own place.

use std::sync::Arc;

use grtc_protocol::RoomId;
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::{Membership, lock};
use crate::{auth::Bearer, ice::Asker};

impl Membership {
    /// The room that this is a place in.
    pub(crate) fn room_id(&self) -> RoomId {
        lock(&self.room).id().clone()
    }

    /// The ICE servers for this member, whose token is this, from now on.
    pub(crate) fn ice_servers(&self, bearer: &Bearer) -> Arc<RawValue> {
        let room = self.room_id();
        let asker = Asker { room: &room, peer: &self.place.peer, bearer };
        self.registry.0.ice.told(Some(asker), self.host.as_deref(), Timestamp::now())
    }
}
