//! What a connection is to the rest of the server.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use crate::write_deadline::WriteDeadline;

/// A connection. What comes to lie between the socket and HTTP is another kind of it.
#[derive(Debug)]
pub(crate) enum Wire {
    Plain(TcpStream),
    /// Under TLS. Apart, so that plain connections don't have its size.
    Tls(Box<TlsStream<TcpStream>>),
    /// A client that a test is itself, in virtual time.
    #[cfg(test)]
    Memory(tokio::io::DuplexStream),
}

/// HTTP/2 as TLS names it (RFC 9113 section 3.1).
pub(super) const HTTP_2: &[u8] = b"h2";

/// STUN and TURN (RFC 7443).
pub(super) const STUN_TURN: &[u8] = b"stun.turn";
/// The first byte of a STUN message that begins something: methods below 0x080 have no other one (RFC 8489, section 5). Neither
/// HTTP nor TLS begins with it.
const STUN: std::ops::RangeInclusive<u8> = 0..=1;

/// What a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// A STUN message.
    Stun,
    /// Something else, or nothing.
    Other,
}

impl Begins {
    pub(super) fn with(first: Option<&u8>) -> Self {
        if first.is_some_and(|first| STUN.contains(first)) { Self::Stun } else { Self::Other }
    }
}

/// What HTTP is spoken over, and a WebSocket takes back at its upgrade.
pub(crate) type HttpIo = TokioIo<WriteDeadline<Wire>>;

/// What every kind of it does.
trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

impl Wire {
    /// Whether its client has agreed to speak HTTP/2.
    pub(crate) fn speaks_http2(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(HTTP_2))
    }

    /// Whether it is under TLS.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether its client has agreed to nothing else than STUN.
    pub(crate) fn may_speak_stun(&self) -> bool {
        match self {
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol().is_none_or(|protocol| protocol == STUN_TURN),
            _ => true,
        }
    }

    /// Waits for the first byte, and leaves it where it is.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(crate) async fn begins(&mut self) -> io::Result<Begins> {
        match self {
            Self::Plain(stream) => {
                let mut first = [0];
                let count = stream.peek(&mut first).await?;
                Ok(Begins::with(first[..count].first()))
            }
            Self::Tls(stream) => Ok(Begins::with(stream.fill_buf().await?.first())),
            #[cfg(test)]
            Self::Memory(_) => Ok(Begins::Other),
        }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut dyn Stream> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(&mut **stream),
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
            Self::Tls(stream) => stream.is_write_vectored(),
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
