//! `POST /api/tickets`: what a client shows that can send no header.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde::Serialize;
use warp::{path, reply::Response};

use super::{answer::to_json, context::Context};
use crate::{
    auth::Bearer,
    error::ApiError,
    gate::Needs,
    route::{Route, fixed},
};

/// A ticket for `?ticket=`.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Ticket {
    /// 32 hexadecimal digits.
    ticket: String,
    /// When it ends, if nobody has shown it by then, in RFC 3339.
    expires_at: String,
}

pub(super) fn routes(context: &Arc<Context>) -> Vec<Route> {
    let path = fixed(path!("api" / "tickets"));
    vec![Route::new(
        "/api/tickets",
        |_, ()| Needs::Entry,
        path,
        context,
        async |context, (), request| match request.head.method {
            Method::POST => ticket(&context, request.bearer),
            _ => Err(ApiError::method_not_allowed("POST")),
        },
    )]
}

/// A ticket, good once and for 30 s, for `?ticket=` in the URL of a `GET` or of a WebSocket
///
/// It stands for the token that it was asked for with. A server without keys gives none, and asks for none.
#[utoipa::path(
    post, path = "/api/tickets", tag = "access",
    responses((status = 201, body = Ticket), (status = 404, description = "This server has no keys"))
)]
pub(crate) fn ticket(context: &Context, bearer: Bearer) -> Result<Response, ApiError> {
    let (Some(auth), Some(caller)) = (&context.auth, bearer) else {
        return Err(ApiError::not_found("this server has no keys, and nobody needs a ticket"));
    };
    let (ticket, expires_at) = auth.ticket(caller).map_err(ApiError::internal)?;
    let mut response = to_json(&Ticket { ticket, expires_at: expires_at.to_string() });
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}
