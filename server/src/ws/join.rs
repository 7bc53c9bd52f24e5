//! What a client asks for when it comes: which room, under which name.

use grtc_protocol::{PeerId, RoomId, id::InvalidName, limits::HISTORY};
use percent_encoding::percent_decode_str;

use crate::{
    auth::{Bearer, Refused},
    error::ApiError,
    gate::Head,
    hub::{
        room::{Asks, Back},
        token::Token,
    },
    random,
    request_id::RequestId,
};

/// A request to come into a room.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) room: RoomId,
    pub(crate) peer: PeerId,
    pub(crate) asks: Asks,
    /// The request that asked for it: what the log calls the connection by.
    pub(crate) request: RequestId,
    /// Whose place it will be.
    pub(crate) bearer: Bearer,
}

impl Join {
    /// Reads the request's path segment and query. Who names no peer id gets the one of its token, or a new one. That a token
    /// is for another peer id is the inner error.
    ///
    /// # Errors
    /// 400 for what is no name.
    pub(super) fn read(
        room: &str,
        head: &Head,
        request: RequestId,
        bearer: Bearer,
    ) -> Result<Result<Self, Refused>, ApiError> {
        let query = head.uri.query().unwrap_or_default();
        let room = name(room, "room_id")?;
        let own = bearer.as_ref().and_then(|caller| caller.grants.peer_id.clone());
        // Read strictly: two ids that are no UTF-8 must not become one.
        let peer = match value(query, "peer_id") {
            Some(id) if !id.is_empty() => name(&id.replace('+', " "), "peer_id")?,
            _ => own.clone().map_or_else(new_peer_id, Ok)?,
        };
        if own.is_some_and(|own| own != peer) {
            return Ok(Err(Refused::not_allowed("the token is for another peer id (\"peer_id\")")));
        }
        let asks = Asks { host: head.host().map(Into::into), ..asks(query)? };
        Ok(Ok(Self { room, peer, asks, request, bearer }))
    }
}

fn asks(query: &str) -> Result<Asks, ApiError> {
    let resume = value(query, "resume");
    let back = match resume {
        Some(token) if !token.is_empty() => {
            let received = number(query, "received", u64::MAX)?.unwrap_or_default();
            Some(Back { token: Token::parse(token), received })
        }
        _ => None,
    };
    let history = number(query, "history", HISTORY as u64)?.map_or(Ok(0), usize::try_from);
    let history = history.map_err(ApiError::internal)?;
    Ok(Asks { resume: resume.is_some(), back, history, host: None })
}

fn value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

fn number(query: &str, key: &str, most: u64) -> Result<Option<u64>, ApiError> {
    let Some(text) = value(query, key).filter(|text| !text.is_empty()) else { return Ok(None) };
    match text.parse() {
        Ok(number) if number <= most => Ok(Some(number)),
        _ => Err(ApiError::bad_request("bad_query", format!("{key} has to be a number from 0 to {most}"))),
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
    random::text().map_err(ApiError::internal)?.parse().map_err(ApiError::internal)
}
