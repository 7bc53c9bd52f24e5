//! `GET /rooms` and `GET /rooms/{room_id}/peers`: who is where, now.

use std::sync::Arc;

use grtc_protocol::{PeerId, RoomId};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use warp::{path, reply::Response};

use super::{answer::to_json, context::Context};
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
            |_| Needs::List,
            fixed(path!("rooms")),
            context,
            async |context, (), request| {
                ApiError::only_reads(&request.head.method)?;
                Ok(list(&context.registry))
            },
        ),
        Route::new(
            "/rooms/{room_id}/peers",
            |_| Needs::Room,
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
    let rooms: Vec<_> = registry.rooms().into_iter().map(|(room_id, peers)| RoomSummary { room_id, peers }).collect();
    let total = rooms.len();
    to_json(&RoomList { rooms, total })
}

/// The peers of a room; a room that nobody is in has none
#[utoipa::path(
    get, path = "/rooms/{room_id}/peers", tag = "rooms", params(("room_id" = String, Path)),
    responses((status = 200, body = PeerList), (status = 400, description = "Not a name"))
)]
pub(crate) fn peers(registry: &Registry, room: &str) -> Result<Response, ApiError> {
    let invalid = |why: String| ApiError::bad_request("bad_name", format!("room_id: {why}"));
    let text = percent_decode_str(room).decode_utf8().map_err(|error| invalid(error.to_string()))?;
    let room_id: RoomId = text.parse().map_err(|error: grtc_protocol::id::InvalidName| invalid(error.to_string()))?;
    let peers = registry.peers(&room_id);
    let total = peers.len();
    Ok(to_json(&PeerList { room_id, peers, total }))
}
