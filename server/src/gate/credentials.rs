//! Where a request carries what it proves itself with.

use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
};

use super::head::Head;
use crate::auth::{Refused, Why};

/// What a token's subprotocol begins with: a page can give its WebSocket no header.
pub(crate) const TOKEN_PROTOCOL: &str = "grtc.token.";

/// What there is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credentials<'a> {
    /// In `Authorization: Bearer` (RFC 6750), or offered as a subprotocol.
    Token(&'a str),
    /// In the query of a `GET`. A token is never taken from there: what is in a URL is logged.
    Ticket(&'a str),
}

/// The credentials of a request.
///
/// # Errors
/// When there are none, or several.
pub(super) fn of(head: &Head) -> Result<Credentials<'_>, Refused> {
    let mut authorizations = head.headers.get_all(AUTHORIZATION).iter();
    if let Some(value) = authorizations.next() {
        if authorizations.next().is_some() {
            return Err(Refused::new(Why::Invalid, "the request has more than one Authorization header"));
        }
        let text = value.to_str().unwrap_or_default().trim();
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        return match scheme.eq_ignore_ascii_case("bearer") {
            true => Ok(Credentials::Token(token.trim())),
            false => Err(Refused::new(Why::NotAuthenticated, "this server takes Authorization: Bearer, with a token")),
        };
    }
    if let Some(token) = offered(&head.headers) {
        return Ok(Credentials::Token(token));
    }
    let query = head.uri.query().filter(|_| head.method == Method::GET).unwrap_or_default();
    let ticket = query.split('&').find_map(|pair| pair.strip_prefix("ticket="));
    ticket.filter(|ticket| !ticket.is_empty()).map(Credentials::Ticket).ok_or_else(Refused::missing)
}

/// The token among the subprotocols that a WebSocket offers.
fn offered(headers: &HeaderMap) -> Option<&str> {
    let lists = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).find_map(|name| name.trim().strip_prefix(TOKEN_PROTOCOL))
}
