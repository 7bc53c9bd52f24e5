//! `GET /api/ice-servers`: what `RTCPeerConnection` takes.

use serde::Serialize;
use serde_json::value::RawValue;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::json;
use crate::{config::Config, error::ApiError};

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
pub(super) fn route(config: &Config) -> BoxedFilter<(Response,)> {
    let body = serde_json::to_vec(&IceServers { ice_servers: &config.ice_servers })
        .map(bytes::Bytes::from)
        .map_err(|error| error.to_string());
    warp::path!("api" / "ice-servers")
        .and(warp::method())
        .map(move |method| {
            let body = ApiError::only_reads(&method).and_then(|()| body.clone().map_err(ApiError::internal));
            body.map_or_else(ApiError::response, json)
        })
        .boxed()
}
