//! TLS 1.2 and 1.3 (RFC 5246, RFC 8446) on what was accepted, by rustls.

use std::{io, sync::Arc};

use rustls::{ServerConfig, server::NoServerSessionStorage};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsAcceptor;

use super::{
    certificate::{ACME_PROTOCOL, Certificates},
    wire::{Begins, HTTP_2, STUN_TURN, Wire},
};
use crate::{crypto::provider, limits::HANDSHAKE_TIMEOUT};

/// The first byte of a TLS connection: a record of the handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// Opens TLS connections.
pub(crate) struct Tls(TlsAcceptor);

/// Why a connection did not come to speak TLS.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// Its client speaks plain HTTP: it can be told.
    PlainHttp(TcpStream),
    /// Its client speaks plain STUN.
    Stun(TcpStream),
    /// It was an authority, which has seen what it looked for.
    Proved,
    /// It ended, or what came is no handshake that the server takes.
    Failed(io::Error),
    /// It was not done within [`HANDSHAKE_TIMEOUT`].
    TooSlow,
}

impl Tls {
    /// With these certificates; `proves` to authorities that names lead here.
    ///
    /// # Errors
    /// When the system gives no randomness for the keys of the tickets.
    pub(crate) fn new(certificates: Arc<Certificates>, proves: bool) -> Result<Self, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        // Some clients of TURN offer HTTP/1.1 as well: what is named first counts.
        config.alpn_protocols = vec![HTTP_2.to_vec(), STUN_TURN.to_vec(), b"http/1.1".to_vec()];
        if proves {
            config.alpn_protocols.push(ACME_PROTOCOL.to_vec());
        }
        // Sessions are resumed by tickets, of which the client keeps all there is (RFC 5077): nothing is kept here.
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 1;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Does the handshake on what was accepted.
    ///
    /// # Errors
    /// When there is none within [`HANDSHAKE_TIMEOUT`].
    pub(crate) async fn open(&self, wire: Wire) -> Result<Wire, NotOpened> {
        let Wire::Plain(stream) = wire else { return Ok(wire) };
        timeout(HANDSHAKE_TIMEOUT, self.handshake(stream)).await.unwrap_or(Err(NotOpened::TooSlow))
    }

    async fn handshake(&self, stream: TcpStream) -> Result<Wire, NotOpened> {
        let mut first = [0];
        stream.peek(&mut first).await.map_err(NotOpened::Failed)?;
        match first {
            [HANDSHAKE] => {}
            [b'A'..=b'Z'] => return Err(NotOpened::PlainHttp(stream)),
            [ref first] if Begins::with(Some(first)) == Begins::Stun => return Err(NotOpened::Stun(stream)),
            _ => return Err(NotOpened::Failed(io::ErrorKind::InvalidData.into())),
        }
        // On the heap at once: it is large, and whoever waits for it would be.
        let stream = Box::pin(self.0.accept(stream)).await.map_err(NotOpened::Failed)?;
        match stream.get_ref().1.alpn_protocol() {
            Some(ACME_PROTOCOL) => Err(NotOpened::Proved),
            _ => Ok(Wire::Tls(Box::new(stream))),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
        time::Instant,
    };

    use super::*;

    /// The server's end of a connection whose client has sent this and waits.
    async fn wire(sent: &[u8]) -> (TcpStream, Wire) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(sent).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        (client, Wire::Plain(stream))
    }

    #[tokio::test]
    async fn a_handshake_that_does_not_end_is_not_waited_for() {
        let tls = Tls::new(Arc::default(), false).unwrap();
        let (_client, wire) = wire(&[HANDSHAKE, 3, 1, 2, 0, 1]).await;
        tokio::time::pause();
        let since = Instant::now();
        assert!(matches!(tls.open(wire).await, Err(NotOpened::TooSlow)));
        assert_eq!(since.elapsed().as_secs(), HANDSHAKE_TIMEOUT.as_secs());
    }

    #[tokio::test]
    async fn what_is_no_handshake_is_told_apart() {
        let tls = Tls::new(Arc::default(), false).unwrap();
        let (_client, plain) = wire(b"GET / HTTP/1.1\r\n").await;
        assert!(matches!(tls.open(plain).await, Err(NotOpened::PlainHttp(_))));
        let (_client, nonsense) = wire(&[0xff; 8]).await;
        assert!(matches!(tls.open(nonsense).await, Err(NotOpened::Failed(_))));
    }
}
