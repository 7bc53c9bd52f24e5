//! What goes to the client, within the time that it may take.

use std::{future::poll_fn, ops::ControlFlow};

use bytes::Bytes;
use futures_util::SinkExt;
use grtc_protocol::{
    CloseCode,
    limits::{CLOSE_GRACE, WRITE_STALL},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use super::{Recovery, Session, end::End};
use crate::{hub::outbox::Next, metrics::Direction, ws::message_budget::WRITE_BUFFER};

/// Much that waits, as it does for who comes back, is written in pieces of so many bytes: the library's buffer for writes
/// stays as large as it once was.
const PIECE: usize = 2 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Writes all that waits, with one flush.
    pub(super) async fn write(&mut self, next: Next) -> ControlFlow<End> {
        match next {
            Next::Close(code) => ControlFlow::Break(End::with(code)),
            Next::Write(frames) => {
                let bytes = frames.iter().map(|text| text.len()).sum::<usize>();
                self.metrics.message_bytes.add(Direction::Out, bytes);
                let piece = if bytes > WRITE_BUFFER { PIECE } else { usize::MAX };
                self.send(frames.into_iter().map(Message::Text), piece).await?;
                if self.recovery == Recovery::Unsent {
                    self.recovery = Recovery::Pinged;
                    self.ping().await?;
                }
                ControlFlow::Continue(())
            }
        }
    }

    pub(super) async fn ping(&mut self) -> ControlFlow<End> {
        self.send(std::iter::once(Message::Ping(Bytes::new())), usize::MAX).await
    }

    /// Sends some messages and flushes once, or after each `piece`. A client that takes nothing for too long, or whose outbox overflows
    /// meanwhile, is too slow.
    async fn send(&mut self, messages: impl Iterator<Item = Message>, piece: usize) -> ControlFlow<End> {
        let (socket, outbox) = (&mut self.socket, &self.outbox);
        let written = timeout(WRITE_STALL, async {
            let mut unsent = 0;
            for message in messages {
                unsent += message.len();
                socket.feed(message).await?;
                if unsent >= piece {
                    socket.flush().await?;
                    unsent = 0;
                }
            }
            socket.flush().await
        });
        tokio::pin!(written);
        let result = tokio::select! {
            biased;
            result = written.as_mut() => result.map_err(|_| CloseCode::TooSlow),
            code = poll_fn(|cx| outbox.poll_closed(cx)) => match code {
                CloseCode::TooSlow => Err(code),
                // What is being written is written to its end, if that does not take long.
                code => match timeout(CLOSE_GRACE, written).await {
                    Ok(Ok(Ok(()))) | Err(_) => Err(code),
                    Ok(result) => result.map_err(|_| CloseCode::TooSlow),
                },
            },
        };
        match result {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) => ControlFlow::Break(End::lost()),
            Err(code) => ControlFlow::Break(End::with(code)),
        }
    }
}
