//! How a connection ends.

use grtc_protocol::{CloseCode, limits::CLOSE_GRACE, server::LeaveReason};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode as WireCode};

use super::Stream;

/// How a connection ends: what the client is told, and what the others are.
pub(super) struct End {
    pub(super) code: Option<CloseCode>,
    pub(super) reason: LeaveReason,
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
        Self { code: Some(code), reason }
    }

    /// The client closed, or its connection broke.
    pub(super) fn of_client(reason: LeaveReason) -> Self {
        Self { code: None, reason }
    }
}

/// Says goodbye with a code. What the client still sends is read and thrown away until it closes too, since a socket
/// that is closed on unread bytes takes the goodbye along; all for a bounded time.
pub(super) async fn close<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Stream<S>, code: CloseCode) {
    let frame = CloseFrame { code: WireCode::from(code.code()), reason: code.reason().into() };
    let goodbye = async {
        // An error means that the client is gone or has closed already.
        let _ = socket.close(Some(frame)).await;
        let stream = socket.get_mut();
        stream.message();
        stream.shutdown().await?;
        // On the heap, since every session would carry it along otherwise.
        let mut buffer = vec![0; 1024];
        while stream.read(&mut buffer).await? > 0 {
            stream.message();
        }
        std::io::Result::Ok(())
    };
    let _ = timeout(CLOSE_GRACE, goodbye).await;
}
