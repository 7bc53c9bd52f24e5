//! `GET /api/ice-servers`: what `RTCPeerConnection` takes.

use std::{str::FromStr, sync::Arc};

use grtc_protocol::{PeerId, RoomId, id::InvalidName};
use hyper::header::{CACHE_CONTROL, HeaderValue};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use warp::{path, reply::Response};

use super::{answer::to_json, context::Context, request::Query};
use crate::{
    auth::Refused,
    error::ApiError,
    gate::Needs,
    ice::Asker,
    route::{Request, Route, fixed},
};

#[derive(Serialize)]
struct IceServers<'a> {
    #[serde(rename = "iceServers")]
    ice_servers: &'a RawValue,
}

/// The ICE servers that clients should use
///
/// Those that take credentials are told to who says in which room it is, and as whom; a token has to allow that.
#[utoipa::path(
    get, path = "/api/ice-servers", tag = "rooms",
    params(("room" = Option<String>, Query), ("peer_id" = Option<String>, Query)),
    responses(
        (status = 200, description = "`{\"iceServers\": [{\"urls\": [\"stun:…\"]}]}`", body = Object),
        (status = 403, description = "The token is for another room or peer id"),
        (status = 422, description = "Not a name"),
    )
)]
pub(crate) fn ice_servers(context: &Context, request: &Request) -> Result<Response, ApiError> {
    let mut query = request.query();
    let (room, peer) = (name::<RoomId>(&mut query, "room"), name::<PeerId>(&mut query, "peer_id"));
    query.finish()?;
    let bearer = &request.bearer;
    let peer = peer.or_else(|| bearer.as_ref()?.grants.peer_id.clone());
    let asker = match (&room, &peer) {
        (Some(room), Some(peer)) => Some(allowed(Asker { room, peer, bearer })?),
        _ => None,
    };
    let servers = context.ice.told(asker, request.head.host(), Timestamp::now());
    let mut response = to_json(&IceServers { ice_servers: &servers });
    if context.ice.are_personal() {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

fn name<T: FromStr<Err = InvalidName>>(query: &mut Query<'_>, parameter: &'static str) -> Option<T> {
    query.read(parameter, "a name", |text| text.parse().ok())
}

/// Somebody whose token, where one is needed, is for this room and this peer.
fn allowed(asker: Asker<'_>) -> Result<Asker<'_>, Refused> {
    let Some(caller) = asker.bearer else { return Ok(asker) };
    if !caller.grants.room(asker.room) {
        return Err(Refused::not_allowed("the token does not allow this room (\"rooms\")"));
    }
    if caller.grants.peer_id.as_ref().is_some_and(|own| own != asker.peer) {
        return Err(Refused::not_allowed("the token is for another peer id (\"peer_id\")"));
    }
    Ok(asker)
}

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    let path = fixed(path!("api" / "ice-servers"));
    vec![Route::new(
        "/api/ice-servers",
        |_, _| Needs::Entry,
        path,
        context,
        async |context, (), request| {
            ApiError::only_reads(&request.head.method)?;
            ice_servers(&context, &request)
        },
    )]
}
