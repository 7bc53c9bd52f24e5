//! A connection that ends when its client takes nothing of an answer any more.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use grtc_protocol::limits::CLOSE_GRACE;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// How long a client may take nothing of an answer: kernels say that there is room again in large steps only.
pub(crate) const ANSWER_STALL: Duration = Duration::from_secs(30);

/// A stream whose writes fail once nothing has been taken for [`ANSWER_STALL`], or, once the server stops, for
/// [`CLOSE_GRACE`]: who does not read is no work under way. Who reads slowly is waited for.
pub(crate) struct WriteDeadline<S> {
    inner: S,
    stop: CancellationToken,
    /// Set while the client takes nothing.
    alarm: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S> WriteDeadline<S> {
    pub(crate) fn new(inner: S, stop: CancellationToken) -> Self {
        Self { inner, stop, alarm: None }
    }

    pub(crate) fn into_inner(self) -> S {
        self.inner
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.alarm = None;
            return written;
        }
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(stalled(self.stop.clone())));
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing of the answer")))
    }
}

/// How long nothing may be taken from now on.
async fn stalled(stop: CancellationToken) {
    let stopping = async {
        stop.cancelled().await;
        sleep(CLOSE_GRACE).await;
    };
    tokio::select! {
        () = sleep(ANSWER_STALL) => {}
        () = stopping => {}
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteDeadline<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.watch(cx, ended)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_not_waited_for() {
        let (_client, server) = tokio::io::duplex(16);
        let since = Instant::now();
        let mut writer = WriteDeadline::new(server, CancellationToken::new());
        let error = writer.write_all(&[0; 17]).await.unwrap_err();
        assert_eq!((error.kind(), since.elapsed().as_secs()), (io::ErrorKind::TimedOut, ANSWER_STALL.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_does_not_wait_for_who_takes_nothing() {
        let (_client, server) = tokio::io::duplex(16);
        let (since, stop) = (Instant::now(), CancellationToken::new());
        let mut writer = WriteDeadline::new(server, stop.clone());
        let stopping = async {
            sleep(Duration::from_secs(5)).await;
            stop.cancel();
        };
        let (written, ()) = tokio::join!(writer.write_all(&[0; 17]), stopping);
        assert!(written.is_err());
        assert_eq!(since.elapsed().as_secs(), 5 + CLOSE_GRACE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_little_is_waited_for() {
        let (mut client, server) = tokio::io::duplex(16);
        let reading = tokio::spawn(async move {
            for _ in 0..20 {
                tokio::time::sleep(ANSWER_STALL - Duration::from_secs(1)).await;
                client.read_u8().await.unwrap();
            }
            client
        });
        WriteDeadline::new(server, CancellationToken::new()).write_all(&[0; 16 + 20]).await.unwrap();
        reading.await.unwrap();
    }
}
