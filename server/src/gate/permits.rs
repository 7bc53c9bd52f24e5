//! What each need takes of a token.

use grtc_protocol::RoomId;
use percent_encoding::percent_decode_str;

use super::needs::Needs;
use crate::auth::{Caller, Refused, grants::Items};

/// Whether this caller may do what a route is for.
///
/// # Errors
/// What it would take.
pub(super) fn permits(caller: &Caller, needs: &Needs) -> Result<(), Refused> {
    let grants = &caller.grants;
    let joins = |room: &str| {
        let name = percent_decode_str(room).decode_utf8();
        name.is_ok_and(|name| name.parse::<RoomId>().is_ok_and(|room| grants.room(&room)))
    };
    let (allowed, text) = match needs {
        Needs::Nothing | Needs::Public | Needs::Entry => return Ok(()),
        Needs::ItemsRead => (grants.items >= Some(Items::Read), "the token does not allow reading items (\"items\")"),
        Needs::ItemsWrite => {
            (grants.items >= Some(Items::Write), "the token does not allow changing items (\"items\": \"write\")")
        }
        Needs::List => (grants.list, "the token does not allow listing rooms (\"list\")"),
        Needs::Room(room) => (joins(room), "the token does not allow this room (\"rooms\")"),
        Needs::ListOrRoom(room) => {
            (grants.list || joins(room), "the token allows neither this room (\"rooms\") nor listing them (\"list\")")
        }
        Needs::Admin => (grants.admin, "the token does not allow administration (\"admin\")"),
    };
    if allowed { Ok(()) } else { Err(Refused::not_allowed(text)) }
}
