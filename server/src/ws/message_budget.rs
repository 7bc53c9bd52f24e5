//! A socket that notices when one message takes too many bytes or too long.
//!
//! The WebSocket library hands over whole messages only. A client that sends one in endless tiny fragments would keep it
//! reading for ever, unseen by the rate limit: what comes in between two messages is counted here.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use grtc_protocol::limits::{MESSAGE_ASSEMBLY, MESSAGE_WIRE_BYTES};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use tokio_tungstenite::WebSocketStream;

/// Bytes that a socket gathers before a write; a flush writes what is there.
pub(super) const WRITE_BUFFER: usize = 16 * 1024;

/// A WebSocket on such a stream. On the heap: one that is moved through futures has a place in each of them.
pub(super) type Socket<S> = Box<WebSocketStream<MessageBudget<S>>>;

/// What goes wrong when a message never ends. The error of the read wraps it.
#[derive(Debug, thiserror::Error)]
#[error("a message took more than {MESSAGE_WIRE_BYTES} bytes or {} s to arrive", MESSAGE_ASSEMBLY.as_secs())]
pub(crate) struct Endless;

/// A stream whose reads are counted since the last whole message.
pub(crate) struct MessageBudget<S> {
    inner: S,
    pending: usize,
    /// The last write was not taken whole.
    mid_write: bool,
    since: Option<Instant>,
    /// Set while the rest of a message is waited for.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<S> MessageBudget<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, pending: 0, mid_write: false, since: None, alarm: None }
    }

    /// A text or binary message is whole.
    pub(crate) fn message(&mut self) {
        self.pending = 0;
        (self.since, self.alarm) = (None, None);
    }

    /// A control frame with so many bytes of payload came, which may stand between the fragments of a message.
    pub(crate) fn control(&mut self, payload: usize) {
        // RFC 6455 5.2: two bytes of header and four of mask.
        self.pending = self.pending.saturating_sub(payload + 6);
        if self.pending == 0 {
            (self.since, self.alarm) = (None, None);
        }
    }

    /// Whether a frame is on its way that the client has not taken whole.
    pub(crate) fn is_mid_write(&self) -> bool {
        self.mid_write
    }

    fn check(&mut self, read: usize) -> io::Result<()> {
        // A message that comes in one piece costs no look at the clock.
        let goes_on = self.pending > 0;
        self.pending += read;
        if goes_on && read > 0 {
            let since = *self.since.get_or_insert_with(Instant::now);
            if self.pending > MESSAGE_WIRE_BYTES || since.elapsed() > MESSAGE_ASSEMBLY {
                return Err(endless());
            }
        }
        Ok(())
    }

    /// Waits for the rest of a message that has begun, as long as that may take.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pending == 0 {
            return Poll::Pending;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(since + MESSAGE_ASSEMBLY)));
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Err(endless()))
    }
}

fn endless() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Endless)
}

impl<S: AsyncRead + Unpin> AsyncRead for MessageBudget<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.inner).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => Poll::Ready(self.check(buf.filled().len() - before)),
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => self.wait(cx),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MessageBudget<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.mid_write = !matches!(written, Poll::Ready(Ok(taken)) if taken == buf.len());
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_message_without_end_is_an_error() {
        let mut stream = MessageBudget::new(tokio::io::repeat(0));
        let mut buffer = [0; 1024];
        let error = loop {
            if let Err(error) = stream.read_exact(&mut buffer).await {
                break error;
            }
        };
        assert!(error.get_ref().is_some_and(|cause| cause.is::<Endless>()));
        assert!(stream.pending <= MESSAGE_WIRE_BYTES + 1024);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_stops_halfway_is_an_error() {
        let (mut client, stream) = tokio::io::duplex(64);
        let (mut stream, mut buffer) = (MessageBudget::new(stream), [0; 8]);
        tokio::io::AsyncWriteExt::write_all(&mut client, &[0; 3]).await.unwrap();
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 3);
        let begin = Instant::now();
        assert!(stream.read(&mut buffer).await.unwrap_err().get_ref().is_some_and(|cause| cause.is::<Endless>()));
        assert_eq!(begin.elapsed().as_secs(), MESSAGE_ASSEMBLY.as_secs());
    }

    #[tokio::test]
    async fn whole_messages_and_control_frames_are_not_held_against_anybody() {
        let mut stream = MessageBudget::new(tokio::io::repeat(0));
        let mut buffer = [0; 1024];
        for round in 0..10 * MESSAGE_WIRE_BYTES / 1024 {
            stream.read_exact(&mut buffer).await.unwrap();
            if round % 2 == 0 { stream.message() } else { stream.control(1024 - 6) }
        }
        assert!(stream.since.is_none());
    }
}
