//! `GET /ws/{room_id}?peer_id={id}`: the checks before the upgrade, and the upgrade itself.
//!
//! It is done here and not by warp's own filter, whose sockets hold a read buffer of 128 KiB each and take messages of
//! any size.

use std::{sync::Arc, time::Instant};

use grtc_protocol::{
    CloseCode,
    limits::{MESSAGE_BYTES, OUTBOX_BYTES},
};
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{
        CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    upgrade::OnUpgrade,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Level, debug, enabled};
use warp::reply::Response;

use super::{
    join::Join,
    message_budget::{MessageBudget, Socket, WRITE_BUFFER},
    session::{self, Context},
};
use crate::{
    client_address::Address,
    connection_limit::Slot,
    error::ApiError,
    gate::Needs,
    limits::limiter::{Caller, Limiter, TooManyConnections},
    listen::{HttpIo, Wire},
    request_id::RequestId,
    route::{Request, Route},
};

/// Bytes of the read buffer that every socket holds.
const READ_BUFFER: usize = 4 * 1024;

/// Where the sessions run, and what they need.
#[derive(Clone)]
pub(crate) struct Sockets {
    pub(crate) context: Context,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) tasks: TaskTracker,
}

/// `GET /ws/{room_id}`
pub(crate) fn route(sockets: &Sockets) -> Route {
    let path = warp::path!("ws" / String);
    Route::new(
        "/ws/{room_id}",
        |_, room: &String| Needs::Room(room.clone()),
        path,
        sockets,
        async |sockets, room: String, request| accept(&sockets, &room, &request),
    )
    .that_counts_itself()
}

/// Counts a join for whoever asks for it.
///
/// # Errors
/// The code that its connection closes with, when there are too many.
fn counted(limiter: &Limiter, request: &Request) -> Result<(), CloseCode> {
    let extensions = &request.head.extensions;
    if extensions.get::<TooManyConnections>().is_some() {
        return Err(CloseCode::RateLimit);
    }
    let address = extensions.get().copied().unwrap_or(Address::Loopback);
    limiter.join(Caller { address, sub: request.bearer.as_ref().and_then(|caller| caller.sub.as_deref()) })
}

fn accept(sockets: &Sockets, room: &str, request: &Request) -> Result<Response, ApiError> {
    let head = &request.head;
    if head.method != Method::GET {
        return Err(ApiError::method_not_allowed("GET"));
    }
    let (begun, counted) = (Instant::now(), counted(&sockets.limiter, request));
    let key = handshake(&head.headers).map_err(|error| if counted.is_err() { Limiter::too_often() } else { error })?;
    let upgrade = head.extensions.get::<OnUpgrade>().cloned().ok_or_else(upgrade_required)?;
    let slot = head.extensions.get::<Slot>().cloned();
    let id =
        head.extensions.get::<RequestId>().copied().ok_or_else(|| ApiError::internal("a request without an id"))?;
    let join = match &request.refused {
        Some(refused) => Err(refused.clone()),
        None => Join::read(room, head, id, request.bearer.clone())?,
    };
    let (context, metrics) = (sockets.context.clone(), sockets.context.metrics.clone());
    let session = async move {
        // The connection counts until the session ends.
        let _slot = slot;
        match upgraded(upgrade).await {
            Ok(socket) => match (counted, join) {
                (Err(code), _) => session::refuse(socket, id, code, &metrics).await,
                (Ok(()), Err(refused)) => session::unauthorized(socket, id, &refused, &metrics).await,
                (Ok(()), Ok(join)) => session::run(socket, Box::new(join), begun, context).await,
            },
            Err(error) => debug!(%error, "upgrade failed"),
        }
    };
    match enabled!(Level::DEBUG) {
        true => sockets.tasks.spawn(session.in_current_span()),
        false => sockets.tasks.spawn(session),
    };
    switching(key, &head.headers)
}

/// The answer to the handshake with this key.
fn switching(key: &[u8], asked: &HeaderMap) -> Result<Response, ApiError> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Some(protocol) = subprotocol(asked) {
        answer.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    answer.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::try_from(derive_accept_key(key)).map_err(ApiError::internal)?);
    Ok(response)
}

/// Checks the request as RFC 6455 section 4.2.1 has it, and gives its key.
fn handshake(headers: &HeaderMap) -> Result<&[u8], ApiError> {
    let lists = |name, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    if !lists(CONNECTION, "upgrade") || !lists(UPGRADE, "websocket") {
        return Err(upgrade_required());
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(ApiError::new(StatusCode::UPGRADE_REQUIRED, "unsupported_version", "WebSocket version 13 only")
            .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
    }
    match headers.get(SEC_WEBSOCKET_KEY) {
        // 16 bytes in Base64.
        Some(key) if key.len() == 24 => Ok(key.as_bytes()),
        _ => Err(ApiError::bad_request("bad_handshake", "Sec-WebSocket-Key has to be 16 bytes in Base64")),
    }
}

/// The subprotocol to answer with: `grtc` if it is offered, else the first one, since a browser ends a connection that takes
/// up none of its offer. What begins with `grtc.` is no name to be repeated.
fn subprotocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = || {
        let lists = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|list| list.to_str().ok());
        lists.flat_map(|list| list.split(',')).map(str::trim)
    };
    let chosen = offered()
        .find(|name| *name == "grtc")
        .or_else(|| offered().find(|name| !name.is_empty() && !name.starts_with("grtc.")))?;
    HeaderValue::try_from(chosen).ok()
}

fn upgrade_required() -> ApiError {
    ApiError::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "this is a WebSocket: ask for an upgrade")
        .with(UPGRADE, HeaderValue::from_static("websocket"))
}

/// Takes the connection back from HTTP.
async fn upgraded(upgrade: OnUpgrade) -> Result<Socket<Wire>, anyhow::Error> {
    let parts = upgrade
        .await?
        .downcast::<HttpIo>()
        .map_err(|_| anyhow::anyhow!("the connection is none that was accepted here"))?;
    // A copy of the few bytes that came early, if any: the buffer itself is hyper's, and would stay with the socket.
    Ok(socket(parts.io.into_inner().into_inner(), parts.read_buf.to_vec()).await)
}

/// A WebSocket with the server's bounds on any stream, of which the client's first bytes may have been read already.
pub(super) async fn socket<S: AsyncRead + AsyncWrite + Unpin>(stream: S, read: Vec<u8>) -> Socket<S> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(OUTBOX_BYTES + WRITE_BUFFER + MESSAGE_BYTES)
        .max_message_size(Some(MESSAGE_BYTES))
        .max_frame_size(Some(MESSAGE_BYTES));
    let stream = MessageBudget::new(stream);
    Box::new(WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offered_subprotocol_is_answered() {
        for (offers, chosen) in [
            (vec![], None),
            (vec!["chat"], Some("chat")),
            (vec!["chat, superchat"], Some("chat")),
            (vec!["chat", "grtc"], Some("grtc")),
            (vec!["grtc.token.secret"], None),
            (vec!["grtc.token.secret , chat"], Some("chat")),
            (vec![" ,, "], None),
        ] {
            let headers = offers.iter().map(|offer| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offer)));
            let answer = subprotocol(&headers.fold(HeaderMap::new(), |mut all, (name, value)| {
                all.append(name, value);
                all
            }));
            assert_eq!(answer.as_ref().map(|answer| answer.to_str().unwrap()), chosen, "{offers:?}");
        }
    }
}
