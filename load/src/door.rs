//! The way in: where the server listens, how it is spoken to, and what clients show.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

use crate::{stream::Stream, tokens::Tokens};

/// The way in, for all clients of a measurement. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Door(Arc<Way>);

#[derive(Debug)]
struct Way {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    tokens: Tokens,
}

impl Door {
    /// To a server at this address, over TLS if there is something to believe in.
    #[must_use]
    pub fn new(address: SocketAddr, tls: Option<Arc<ClientConfig>>, tokens: Tokens) -> Self {
        Self(Arc::new(Way { address, tls, tokens }))
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Connects from this address of the machine, with the handshake where there is TLS.
    ///
    /// # Errors
    /// When it can't, or the server is not the one that is believed in.
    pub async fn connect(&self, source: Ipv4Addr) -> anyhow::Result<Stream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        socket.bind(SocketAddr::from((source, 0)))?;
        let stream = socket.connect(self.0.address).await.context("can't connect")?;
        let Some(config) = &self.0.tls else { return Ok(Stream::Plain(stream)) };
        let name = ServerName::from(self.0.address.ip());
        let stream = TlsConnector::from(config.clone()).connect(name, stream).await.context("no TLS")?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// The line of a request's head that says who asks: `sub`, or somebody without a name. Nothing where nobody shows a token.
    ///
    /// # Errors
    /// When a token can't be signed.
    pub fn authorization(&self, sub: Option<&str>) -> anyhow::Result<String> {
        let token = self.0.tokens.of(sub)?;
        Ok(token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default())
    }
}
