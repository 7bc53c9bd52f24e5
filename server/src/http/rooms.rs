//! `GET /rooms` and `GET /rooms/{room_id}/peers`: who is where, now.

use grtc_protocol::{PeerId, RoomId};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::to_json;
use crate::{error::ApiError, hub::registry::Registry};

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

pub(super) fn routes(registry: Registry) -> BoxedFilter<(Response,)> {
    let rooms = registry.clone();
    let list = warp::path::end()
        .and(warp::method())
        .map(move |method| ApiError::only_reads(&method).map_or_else(ApiError::response, |()| list(&rooms)));
    let peers = warp::path::param::<String>().and(warp::path("peers")).and(warp::path::end()).and(warp::method()).map(
        move |room: String, method| {
            ApiError::only_reads(&method).and_then(|()| peers(&registry, &room)).unwrap_or_else(ApiError::response)
        },
    );
    warp::path("rooms").and(list.or(peers).unify()).boxed()
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
