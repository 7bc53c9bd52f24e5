//! `/api/admin/…`: what administrators see and do. What they do is written down before it is done.

use std::{sync::Arc, time::Duration};

use grtc_protocol::{CloseCode, PeerId, RoomId, json};
use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use tracing::info;
use warp::{path, reply::Response};

use super::{
    admin_answer::{AuditList, RoomPeers, entry, peer},
    answer::{empty, to_json},
    context::Context,
    request::path_name,
    rooms::RoomList,
};
use crate::{
    auth::{Bearer, Revoked},
    duration::duration,
    error::{ApiError, FieldError, Loc},
    gate::Needs,
    hub::registry::Ban,
    limits::REVOKED_BYTES,
    route::{Request, Route, fixed},
    store::administration::{self, Deed, Effect},
};

/// Entries in one list of the audit.
const AUDIT_MOST: u64 = 1_000;
const AUDIT_DEFAULT: u64 = 100;
/// Longest ban: a year.
const BAN_MOST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    vec![
        Route::new(
            "/api/admin/rooms",
            |_, ()| Needs::Admin,
            fixed(path!("api" / "admin" / "rooms")),
            context,
            async |app, (), request| {
                ApiError::only_reads(&request.head.method)?;
                Ok(rooms(&app))
            },
        ),
        Route::new(
            "/api/admin/rooms/{room_id}",
            |_, _| Needs::Admin,
            path!("api" / "admin" / "rooms" / String),
            context,
            async |app, name: String, request: Request| match request.head.method {
                Method::GET | Method::HEAD => room(&app, &name),
                Method::DELETE => close(&app, &name, &request.bearer).await,
                _ => Err(ApiError::method_not_allowed("GET, HEAD, DELETE")),
            },
        ),
        Route::new(
            "/api/admin/rooms/{room_id}/peers/{peer_id}",
            |_, _| Needs::Admin,
            warp::Filter::map(path!("api" / "admin" / "rooms" / String / "peers" / String), |room, peer| (room, peer)),
            context,
            async |app, (room, peer): (String, String), request: Request| match request.head.method {
                Method::DELETE => kick(&app, &room, &peer, &request).await,
                _ => Err(ApiError::method_not_allowed("DELETE")),
            },
        ),
        Route::new(
            "/api/admin/revocations",
            |_, ()| Needs::Admin,
            fixed(path!("api" / "admin" / "revocations")),
            context,
            async |app, (), request: Request| match request.head.method {
                Method::POST => revoke(&app, request).await,
                _ => Err(ApiError::method_not_allowed("POST")),
            },
        ),
        Route::new(
            "/api/admin/drain",
            |_, ()| Needs::Admin,
            fixed(path!("api" / "admin" / "drain")),
            context,
            async |app, (), request: Request| match request.head.method {
                Method::POST => drain(&app, &request.bearer).await,
                _ => Err(ApiError::method_not_allowed("POST")),
            },
        ),
        Route::new(
            "/api/admin/audit",
            |_, ()| Needs::Admin,
            fixed(path!("api" / "admin" / "audit")),
            context,
            async |app, (), request: Request| audit(&app, &request).await,
        ),
    ]
}

/// The rooms in which somebody is
#[utoipa::path(get, path = "/api/admin/rooms", tag = "admin", responses((status = 200, body = RoomList)))]
pub(crate) fn rooms(app: &Context) -> Response {
    to_json(&RoomList::new(app.registry.rooms()))
}

/// The peers of a room, and what went by each since it joined
#[utoipa::path(
    get, path = "/api/admin/rooms/{room_id}", tag = "admin", params(("room_id" = String, Path)),
    responses((status = 200, body = RoomPeers), (status = 400, description = "Not a name"), (status = 404, description = "Nobody is there"))
)]
pub(crate) fn room(app: &Context, raw: &str) -> Result<Response, ApiError> {
    let room_id: RoomId = path_name(raw, "room_id")?;
    let peers = app.registry.view(&room_id).ok_or_else(|| nobody_in(&room_id))?;
    Ok(to_json(&RoomPeers { room_id, peers: peers.into_iter().map(peer).collect() }))
}

/// Sends everybody in a room away: their connections close with 4003
#[utoipa::path(
    delete, path = "/api/admin/rooms/{room_id}", tag = "admin", params(("room_id" = String, Path)),
    responses((status = 204), (status = 400, description = "Not a name"), (status = 404, description = "Nobody is there"))
)]
pub(crate) async fn close(app: &Context, raw: &str, bearer: &Bearer) -> Result<Response, ApiError> {
    let room: RoomId = path_name(raw, "room_id")?;
    if app.registry.peers(&room).is_empty() {
        return Err(nobody_in(&room));
    }
    record(app, bearer, "close_room", room.to_string()).await?;
    app.registry.clear(&room);
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Sends a peer away: its connection closes with 4003
#[utoipa::path(
    delete, path = "/api/admin/rooms/{room_id}/peers/{peer_id}", tag = "admin",
    params(
        ("room_id" = String, Path), ("peer_id" = String, Path),
        ("ban" = Option<String>, Query, description = "How long neither this peer id nor the `sub` that it came with may come back to this room, as `10m`")
    ),
    responses((status = 204), (status = 400, description = "Not a name"), (status = 404, description = "It is not there"),
              (status = 422, description = "Not a time"))
)]
pub(crate) async fn kick(app: &Context, room: &str, peer: &str, request: &Request) -> Result<Response, ApiError> {
    let (room, peer): (RoomId, PeerId) = (path_name(room, "room_id")?, path_name(peer, "peer_id")?);
    let mut query = request.query();
    let ban = query.read("ban", "a time of at most a year, as 10m or 90s", |text| {
        duration(text).ok().filter(|ban| *ban <= BAN_MOST)
    });
    query.finish()?;
    let there = app.registry.view(&room).into_iter().flatten().find(|view| view.peer == peer);
    let nobody = || ApiError::not_found(format!("there is no peer {peer:?} in the room {room:?}"));
    let sub = there.ok_or_else(nobody)?.sub;
    let until = ban.filter(|ban| !ban.is_zero()).and_then(|ban| Timestamp::now().saturating_add(ban).ok());
    let (what, whom, effect) = match until {
        Some(until) => (
            "ban",
            format!("{peer} in {room}, until {until:.0}"),
            Effect::Banned(kept(&room, &peer, sub.as_deref(), until)),
        ),
        None => ("kick", format!("{peer} in {room}"), Effect::Nothing),
    };
    app.store.record(deed(&request.bearer, what, whom), effect).await?;
    app.registry.kick(&room, &peer, until.map(|until| Ban { peer: peer.clone(), sub, until }));
    Ok(empty(StatusCode::NO_CONTENT))
}

/// A ban, for the next start.
fn kept(room: &RoomId, peer: &PeerId, sub: Option<&str>, until: Timestamp) -> administration::Ban {
    administration::Ban { room: room.to_string(), peer: peer.to_string(), sub: sub.map(str::to_owned), until }
}

/// What is revoked: one of the two.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    /// All tokens of somebody.
    #[serde(default)]
    sub: Option<String>,
    /// One token.
    #[serde(default)]
    jti: Option<String>,
}

/// Ends tokens before their time: those that were issued up to now. Their connections close with 4401
#[utoipa::path(post, path = "/api/admin/revocations", tag = "admin", request_body = Revocation, responses((status = 204)))]
pub(crate) async fn revoke(app: &Context, mut request: Request) -> Result<Response, ApiError> {
    let body = request.json().await?;
    let invalid = |msg: &str| ApiError::invalid(vec![FieldError { loc: vec![Loc::from("body")], msg: msg.to_owned() }]);
    let revocation: Revocation = json::object(&body).map_err(|error| match error.is_data() {
        true => invalid(&format!("it has to be {{\"sub\": \"…\"}} or {{\"jti\": \"…\"}}: {error}")),
        false => ApiError::bad_request("bad_json", format!("the body is not JSON: {error}")),
    })?;
    let (kind, name) = match (revocation.sub, revocation.jti) {
        (Some(sub), None) => ("sub", sub),
        (None, Some(jti)) => ("jti", jti),
        _ => return Err(invalid("it has to have either \"sub\" or \"jti\"")),
    };
    if name.is_empty() || name.len() > REVOKED_BYTES {
        return Err(invalid(&format!("\"{kind}\" has to have 1 to {REVOKED_BYTES} bytes")));
    }
    let deed = deed(&request.bearer, "revoke", format!("{kind} {name}"));
    let at = app.store.record(deed, Effect::Revoked(kind, name.clone())).await?;
    let what = Revoked::new(kind, &name);
    if let (Some(auth), Some(what), Ok(at)) = (&app.auth, what, Timestamp::from_microsecond(at)) {
        auth.revoke(what, at);
        app.registry.close_where(CloseCode::NotAuthenticated, |caller| auth.is_revoked(caller));
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Takes no more connections and ends those that there are, with 1012. The process stays, and does not come out of this
#[utoipa::path(post, path = "/api/admin/drain", tag = "admin", responses((status = 202)))]
pub(crate) async fn drain(app: &Context, bearer: &Bearer) -> Result<Response, ApiError> {
    record(app, bearer, "drain", "this server".to_owned()).await?;
    info!("draining: an administrator asked for it");
    app.registry.close(CloseCode::Restart);
    app.stop.cancel();
    Ok(empty(StatusCode::ACCEPTED))
}

/// What administrators have done, the newest first
#[utoipa::path(
    get, path = "/api/admin/audit", tag = "admin",
    params(("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "100 if not given")),
    responses((status = 200, body = AuditList), (status = 422, description = "Not a number"))
)]
pub(crate) async fn audit(app: &Context, request: &Request) -> Result<Response, ApiError> {
    ApiError::only_reads(&request.head.method)?;
    let mut query = request.query();
    let limit = query.number("limit", 1..=AUDIT_MOST).unwrap_or(AUDIT_DEFAULT);
    query.finish()?;
    let entries = app.store.audit(limit).await?.into_iter().map(entry).collect();
    Ok(to_json(&AuditList { entries }))
}

fn deed(bearer: &Bearer, what: &'static str, whom: String) -> Deed {
    let who = bearer.as_ref().and_then(|caller| caller.sub.as_deref()).map(str::to_owned);
    Deed { who, what, whom }
}

async fn record(app: &Context, bearer: &Bearer, what: &'static str, whom: String) -> Result<(), ApiError> {
    app.store.record(deed(bearer, what, whom), Effect::Nothing).await?;
    Ok(())
}

fn nobody_in(room: &RoomId) -> ApiError {
    ApiError::not_found(format!("nobody is in the room {room:?}"))
}
