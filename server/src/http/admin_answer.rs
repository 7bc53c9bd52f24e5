//! What administrators are told.

use grtc_protocol::{PeerId, RoomId};
use serde::Serialize;

use crate::{hub::room::PeerView, store::administration::Entry};

/// The peers of a room, in the order of their joining.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RoomPeers {
    #[schema(value_type = String)]
    pub(super) room_id: RoomId,
    pub(super) peers: Vec<RoomPeer>,
}

/// A peer, and what went by it since it joined. Messages in are those for others, with the bytes of their data; messages out
/// are the frames of the room for this peer, with all their bytes.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RoomPeer {
    #[schema(value_type = String)]
    peer_id: PeerId,
    /// Whose token it came with.
    sub: Option<String>,
    /// In RFC 3339.
    joined_at: String,
    /// It has lost its connection and may come back.
    away: bool,
    messages_in: u64,
    messages_out: u64,
    bytes_in: u64,
    bytes_out: u64,
    /// Bytes that wait for it to read.
    queued_bytes: usize,
}

/// What administrators have done, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct AuditList {
    pub(super) entries: Vec<AuditEntry>,
}

/// One deed.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct AuditEntry {
    /// The `sub` of the administrator's token.
    who: Option<String>,
    /// `kick`, `ban`, `close_room`, `revoke` or `drain`.
    what: String,
    whom: String,
    /// In RFC 3339.
    when: String,
}

pub(super) fn peer(view: PeerView) -> RoomPeer {
    RoomPeer {
        peer_id: view.peer,
        sub: view.sub.as_deref().map(str::to_owned),
        joined_at: format!("{:.3}", view.joined_at),
        away: view.away,
        messages_in: view.traffic.messages_in,
        messages_out: view.traffic.messages_out,
        bytes_in: view.traffic.bytes_in,
        bytes_out: view.traffic.bytes_out,
        queued_bytes: view.queued_bytes,
    }
}

pub(super) fn entry(entry: Entry) -> AuditEntry {
    AuditEntry { who: entry.who, what: entry.what, whom: entry.whom, when: format!("{:.3}", entry.at) }
}
