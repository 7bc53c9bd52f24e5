//! How a client gets into its room, or why it does not; and what is counted of that.

use std::collections::VecDeque;

use grtc_protocol::CloseCode;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    super::{join::Join, message_budget::Socket},
    end::{explain, finish, log_refused},
};
use crate::{
    auth::{Refused, Why},
    hub::{
        outbox::Outbox,
        registry::{Membership, Registry},
    },
    limits::Limit,
    metrics::{JoinResult, Metrics, ResumeResult},
    request_id::RequestId,
};

/// Closes a connection that may not join.
pub(in crate::ws) async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: Socket<S>,
    request: RequestId,
    code: CloseCode,
    metrics: &Metrics,
) {
    metrics.joins.inc(JoinResult::refused(code));
    metrics.close(Some(code));
    log_refused(request, code);
    finish(&mut socket, VecDeque::new(), Some(code)).await;
}

/// Closes a connection whose token is not there, not good, or not for this room.
pub(in crate::ws) async fn unauthorized<S: AsyncRead + AsyncWrite + Unpin>(
    socket: Socket<S>,
    request: RequestId,
    refused: &Refused,
    metrics: &Metrics,
) {
    let code = match (refused.wait, refused.why) {
        (Some(_), _) => CloseCode::RateLimit,
        (None, Why::NotAllowed) => CloseCode::NotAllowed,
        (None, _) => CloseCode::NotAuthenticated,
    };
    metrics.joins.inc(JoinResult::refused(code));
    metrics.close(Some(code));
    log_refused(request, code);
    explain(socket, code, refused).await;
}

/// Puts a client into its room, and counts what came of it.
pub(super) fn enter(
    registry: &Registry,
    metrics: &Metrics,
    join: Join,
    outbox: &Outbox,
) -> Result<Membership, CloseCode> {
    let is_back = join.asks.back.is_some();
    let joined = registry.join(&join.room, join.peer, outbox.clone(), join.asks, join.bearer);
    match (&joined, is_back) {
        (Ok(membership), _) if membership.place.recovered => {
            metrics.joins.inc(JoinResult::Resumed);
            metrics.resumes.inc(ResumeResult::Recovered);
        }
        (Ok(_), true) => {
            metrics.joins.inc(JoinResult::Joined);
            metrics.resumes.inc(ResumeResult::Anew);
        }
        (Ok(_), false) => metrics.joins.inc(JoinResult::Joined),
        (Err(CloseCode::RoomFull), _) => metrics.limited.inc(Limit::RoomPeers),
        (Err(CloseCode::Overloaded), _) => metrics.limited.inc(Limit::Rooms),
        (Err(CloseCode::RateLimit), _) => metrics.limited.inc(Limit::PeersPerSub),
        (Err(CloseCode::PeerIdTaken), true) => metrics.resumes.inc(ResumeResult::Refused),
        _ => {}
    }
    joined
}
