//! What a client asks for when it comes: which room, under which name.

use grtc_protocol::{PeerId, RoomId, id::InvalidName};
use percent_encoding::percent_decode_str;

use crate::{error::ApiError, request_id::RequestId};

/// A request to come into a room.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) room: RoomId,
    pub(crate) peer: PeerId,
    /// The request that asked for it: what the log calls the connection by.
    pub(crate) request: RequestId,
}

impl Join {
    /// Reads the request's path segment and query. Who names no peer id gets one.
    ///
    /// # Errors
    /// 400 for what is no name.
    pub(super) fn read(room: &str, query: &str, request: RequestId) -> Result<Self, ApiError> {
        let room = name(room, "room_id")?;
        // Read strictly: two ids that are no UTF-8 must not become one.
        let peer = match query.split('&').find_map(|pair| pair.strip_prefix("peer_id=")) {
            Some(id) if !id.is_empty() => name(&id.replace('+', " "), "peer_id")?,
            _ => new_peer_id()?,
        };
        Ok(Self { room, peer, request })
    }
}

fn name<T: std::str::FromStr<Err = InvalidName>>(raw: &str, what: &str) -> Result<T, ApiError> {
    let text = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| ApiError::bad_request("bad_name", format!("{what} has to be UTF-8")))?;
    text.parse().map_err(|error| ApiError::bad_request("bad_name", format!("{what}: {error}")))
}

/// 128 random bits, so that nobody guesses it.
fn new_peer_id() -> Result<PeerId, ApiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
    format!("{:032x}", u128::from_ne_bytes(bytes)).parse().map_err(ApiError::internal)
}
