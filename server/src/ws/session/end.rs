//! How a connection ends.

use std::{borrow::Cow, collections::VecDeque, time::Instant};

use futures_util::SinkExt as _;
use grtc_protocol::{
    CloseCode,
    limits::{CLOSE_GRACE, RETRY_SPREAD},
    server::LeaveReason,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        protocol::{
            CloseFrame,
            frame::{
                Frame,
                coding::{CloseCode as WireCode, Data, OpCode},
            },
        },
    },
};

use tracing::{Span, error_span, info};

use crate::{
    auth::{Bearer, Caller, Refused},
    hub::Text,
    request_id::RequestId,
    telemetry::Occasional,
    ws::message_budget::Socket,
};

/// How a connection ends: what the client is told, and what the others are.
pub(super) struct End {
    pub(super) code: Option<CloseCode>,
    /// The code that the client closed with, if it is one of the protocol's.
    pub(super) by_client: Option<CloseCode>,
    pub(super) reason: LeaveReason,
    /// Who asked for that keeps its place for a while.
    pub(super) may_return: bool,
}

impl End {
    pub(super) fn with(code: CloseCode) -> Self {
        let reason = match code {
            CloseCode::Normal => LeaveReason::Left,
            CloseCode::TooSlow => LeaveReason::Slow,
            CloseCode::Kicked => LeaveReason::Kicked,
            CloseCode::Replaced => LeaveReason::Replaced,
            _ => LeaveReason::Lost,
        };
        Self { code: Some(code), by_client: None, reason, may_return: may_return(Some(code)) }
    }

    /// The connection broke.
    pub(super) fn lost() -> Self {
        Self { code: None, by_client: None, reason: LeaveReason::Lost, may_return: true }
    }

    /// The client closed. Only a normal close is a goodbye.
    pub(super) fn by_client(code: Option<WireCode>) -> Self {
        let known = code.map_or(Some(CloseCode::Normal), |code| CloseCode::from_code(code.into()));
        let reason = match known {
            Some(CloseCode::Normal | CloseCode::GoingAway) => LeaveReason::Left,
            _ => LeaveReason::Lost,
        };
        Self { code: None, by_client: known, reason, may_return: may_return(known) }
    }
}

/// Whether a connection that ended with this code is one to come back from.
fn may_return(code: Option<CloseCode>) -> bool {
    use CloseCode::{GoingAway, Kicked, Normal, NotAllowed, NotAuthenticated, Replaced};
    !matches!(code, Some(Normal | GoingAway | Replaced | Kicked | NotAuthenticated | NotAllowed))
}

static REFUSED: Occasional = Occasional::new();

/// Says why the client whose request is `id` was not let in.
pub(super) fn log_refused(id: RequestId, code: CloseCode) {
    let _entered = span(id, None).entered();
    if let Some(left_out) = REFUSED.now() {
        info!(close.code = code.code(), log.left_out = left_out, "a client was refused: {}", code.reason());
    }
}

/// Says how a connection ended that the request `id` has begun: one line for each.
pub(super) fn log(id: RequestId, bearer: &Bearer, since: Instant, end: &End) {
    let _entered = span(id, bearer.as_deref()).entered();
    let duration_s = since.elapsed().as_secs_f64();
    match (end.code, end.by_client) {
        (Some(CloseCode::Normal), _) => info!(close.code = CloseCode::Normal.code(), duration_s, "a client has left"),
        (Some(code), _) => info!(close.code = code.code(), duration_s, "a client was closed: {}", code.reason()),
        (None, Some(code)) => info!(close.code = code.code(), duration_s, "a client has left"),
        (None, None) => info!(duration_s, "the connection of a client has broken"),
    }
}

/// The span of the request. A session runs in it only where somebody asked for that much: it costs memory.
fn span(id: RequestId, caller: Option<&Caller>) -> Span {
    match Span::current() {
        none if none.is_none() => {
            let sub = caller.and_then(|caller| caller.sub.as_deref());
            error_span!("request", request.id = %id, http.method = "GET", http.route = "/ws/{room_id}", user.id = sub)
        }
        span => span,
    }
}

/// Ends a connection: what was read before the end is answered (`owed`) before it. Takes a bounded time.
pub(super) async fn finish<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    owed: VecDeque<Text>,
    code: Option<CloseCode>,
) {
    // On the heap, since every session would carry it along otherwise.
    let goodbye = async {
        match code {
            Some(code) => close(socket, owed, code, &reason(code)).await,
            None => answer_close(socket, owed).await,
        }
    };
    // An error means that the client is gone or has closed already.
    let _ = timeout(CLOSE_GRACE, Box::pin(goodbye)).await;
}

/// Says goodbye with a code. What the client still sends is read and thrown away until it closes too, since a socket
/// that is closed on unread bytes takes the goodbye along.
async fn close<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    owed: VecDeque<Text>,
    code: CloseCode,
    reason: &str,
) -> Result<(), tungstenite::Error> {
    for text in owed {
        socket.feed(Message::Text(text)).await?;
    }
    let frame = CloseFrame { code: WireCode::from(code.code()), reason: reason.into() };
    let _ = WebSocketStream::close(socket, Some(frame)).await;
    let stream = socket.get_mut();
    stream.message();
    stream.shutdown().await?;
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {
        stream.message();
    }
    Ok(())
}

/// Longest reason in a close frame, in bytes (RFC 6455 section 5.5).
const REASON_BYTES: usize = 123;

/// Ends a connection with this code, and with the stable word for why before the sentence.
pub(super) async fn explain<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: Socket<S>,
    code: CloseCode,
    refused: &Refused,
) {
    let mut reason = format!("{}: {refused}", refused.why.code());
    reason.truncate(reason.floor_char_boundary(REASON_BYTES));
    let _ = timeout(CLOSE_GRACE, Box::pin(close(&mut socket, VecDeque::new(), code, &reason))).await;
}

/// What the client is told: a sentence, or when to come back, spread so that not all do at once.
fn reason(code: CloseCode) -> Cow<'static, str> {
    match code {
        CloseCode::Restart => format!("retry in {} ms", fastrand::u128(0..RETRY_SPREAD.as_millis())).into(),
        code => code.reason().into(),
    }
}

/// Answers a client that has closed, with a close frame or without one. The library sends no more messages then: they
/// are put before its answer by hand, unless it is still busy with an earlier frame that the client does not take.
async fn answer_close<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    owed: VecDeque<Text>,
) -> Result<(), tungstenite::Error> {
    if !socket.get_ref().is_mid_write() {
        let mut bytes = Vec::new();
        for text in owed {
            Frame::message(text, OpCode::Data(Data::Text), true).format(&mut bytes)?;
        }
        socket.get_mut().write_all(&bytes).await?;
    }
    // The close handshake's answer, if there is one to send.
    let _ = socket.flush().await;
    Ok(socket.get_mut().shutdown().await?)
}
