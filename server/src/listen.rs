//! The one place that accepts connections, and what a connection is to the rest of the server.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tracing::{debug, warn};

use crate::write_deadline::WriteDeadline;

/// What the kernel takes before it is sent.
const UNSENT_BYTES: u32 = 128 * 1024;
/// How long to wait when nothing can be accepted. Most often no file descriptor is left: connections end and give theirs
/// back.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// A connection as it was accepted. What comes to lie between the socket and HTTP is another kind of it.
#[derive(Debug)]
pub(crate) enum Wire {
    Plain(TcpStream),
    /// A client that a test is itself, in virtual time.
    #[cfg(test)]
    Memory(tokio::io::DuplexStream),
}

/// What HTTP is spoken over, and a WebSocket takes back at its upgrade.
pub(crate) type HttpIo = TokioIo<WriteDeadline<Wire>>;

/// Where a connection comes from. An address is personal: the log says which network it is from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote(SocketAddr);

/// Accepts for ever and hands over each connection.
pub(crate) async fn accept(listener: TcpListener, serve: impl Fn(Wire, Remote)) {
    bound_unsent(&listener);
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                failing = false;
                // Small frames go out at once; what fails here fails again at the first read.
                let _ = stream.set_nodelay(true);
                serve(Wire::Plain(stream), Remote(address));
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "no connection can be accepted; trying again");
                }
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Bounds what the kernel takes of an answer before its client has room for it: a client that takes nothing holds no more,
/// and one that takes little is seen to do so soon. Connections inherit it.
fn bound_unsent(listener: &TcpListener) {
    if let Err(error) = SockRef::from(listener).set_tcp_notsent_lowat(UNSENT_BYTES) {
        debug!(%error, "the kernel does not bound what is unsent");
    }
}

#[cfg(test)]
impl Remote {
    pub(crate) fn loopback() -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], 9)))
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.ip().is_loopback() { "loopback" } else { "remote" })
    }
}

/// What every kind of it does.
trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

impl Wire {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut dyn Stream> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream),
            #[cfg(test)]
            Self::Memory(stream) => Pin::new(stream),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            #[cfg(test)]
            Self::Memory(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
