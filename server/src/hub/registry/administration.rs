//! What administrators see and do.

use std::sync::Arc;

use grtc_protocol::{CloseCode, PeerId, RoomId};
use jiff::Timestamp;

use super::{Ban, Cell, Registry, lock};
use crate::hub::room::PeerView;

impl Registry {
    /// Who is in a room and what went by each; none if there is no such room.
    pub(crate) fn view(&self, room: &RoomId) -> Option<Vec<PeerView>> {
        self.cell(room).map(|room| lock(&room).view()).filter(|peers| !peers.is_empty())
    }

    /// Sends a peer away, and keeps out who is banned.
    pub(crate) fn kick(&self, room: &RoomId, peer: &PeerId, ban: Option<Ban>) {
        let now = Timestamp::now();
        // Held until the ban is there: nobody comes back in between.
        let mut rooms = lock(&self.0.rooms);
        if let Some(cell) = rooms.by_name.get(room) {
            self.counted(&mut lock(cell), |room| room.kick(peer, now));
        }
        if let Some(ban) = ban {
            rooms.bans.add(room.clone(), ban, now);
        }
    }

    /// Keeps somebody out of a room, as before a restart.
    pub(crate) fn ban(&self, room: RoomId, ban: Ban) {
        lock(&self.0.rooms).bans.add(room, ban, Timestamp::now());
    }

    /// Sends everybody in a room away. Whether anybody was there.
    pub(crate) fn clear(&self, room: &RoomId) -> bool {
        let Some(cell) = self.cell(room) else { return false };
        let mut locked = lock(&cell);
        let anybody = locked.len() > 0;
        self.counted(&mut locked, |room| room.clear(CloseCode::Kicked, Timestamp::now()));
        anybody
    }

    fn cell(&self, room: &RoomId) -> Option<Arc<Cell>> {
        lock(&self.0.rooms).by_name.get(room).cloned()
    }
}
