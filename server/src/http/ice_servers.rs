//! `GET /api/ice-servers`: what `RTCPeerConnection` takes.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use warp::{path, reply::Response};

use super::{answer::to_json, context::Context};
use crate::{
    error::ApiError,
    gate::Needs,
    route::{Route, fixed},
};

#[derive(Serialize)]
struct IceServers<'a> {
    #[serde(rename = "iceServers")]
    ice_servers: &'a RawValue,
}

/// The ICE servers that clients should use
#[utoipa::path(
    get, path = "/api/ice-servers", tag = "rooms",
    responses((status = 200, description = "`{\"iceServers\": [{\"urls\": [\"stun:…\"]}]}`", body = Object))
)]
pub(crate) fn ice_servers(context: &Context) -> Response {
    to_json(&IceServers { ice_servers: &context.ice.for_peer(None, Timestamp::now()) })
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
            Ok(ice_servers(&context))
        },
    )]
}
