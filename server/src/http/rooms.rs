//! `GET /rooms` and `GET /rooms/{room_id}/peers`: who is where, now.

use std::sync::Arc;

use grtc_protocol::{PeerId, RoomId};
use serde::Serialize;
use warp::{path, reply::Response};

use super::{answer::to_json, context::Context, request::path_name};
use crate::{
    error::ApiError,
    gate::Needs,
    hub::registry::Registry,
    route::{Route, fixed},
};

/// A room and how many are in it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RoomSummary {
    #[schema(value_type = String)]
    room_id: RoomId,
    peers: usize,
}

/// Every room in which somebody is.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RoomList {
    rooms: Vec<RoomSummary>,
    total: usize,
}

impl RoomList {
    pub(super) fn new(rooms: Vec<(RoomId, usize)>) -> Self {
        let rooms: Vec<_> = rooms.into_iter().map(|(room_id, peers)| RoomSummary { room_id, peers }).collect();
        Self { total: rooms.len(), rooms }
    }
}

/// The peers of a room, in the order of their joining.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct PeerList {
    #[schema(value_type = String)]
    room_id: RoomId,
    #[schema(value_type = Vec<String>)]
    peers: Vec<PeerId>,
    total: usize,
}

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    vec![
        Route::new(
            "/rooms",
            |_, ()| Needs::List,
            fixed(path!("rooms")),
            context,
            async |context, (), request| {
                ApiError::only_reads(&request.head.method)?;
                Ok(list(&context.registry))
            },
        ),
        Route::new(
            "/rooms/{room_id}/peers",
            |_, room: &String| Needs::ListOrRoom(room.clone()),
            path!("rooms" / String / "peers"),
            context,
            async |context, room: String, request| {
                ApiError::only_reads(&request.head.method)?;
                peers(&context.registry, &room)
            },
        ),
    ]
}

/// The rooms in which somebody is
#[utoipa::path(get, path = "/rooms", tag = "rooms", responses((status = 200, body = RoomList)))]
pub(crate) fn list(registry: &Registry) -> Response {
    to_json(&RoomList::new(registry.rooms()))
}

/// The peers of a room; a room that nobody is in has none
#[utoipa::path(
    get, path = "/rooms/{room_id}/peers", tag = "rooms", params(("room_id" = String, Path)),
    responses((status = 200, body = PeerList), (status = 400, description = "Not a name"))
)]
pub(crate) fn peers(registry: &Registry, room: &str) -> Result<Response, ApiError> {
    let room_id: RoomId = path_name(room, "room_id")?;
    let peers = registry.peers(&room_id);
    let total = peers.len();
    Ok(to_json(&PeerList { room_id, peers, total }))
}
