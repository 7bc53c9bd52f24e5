//! An HTTP server that tells a test of each request, and answers as the test says.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{http::WAIT, tls::Authority};

/// Requests that the test has not asked for yet.
const QUEUE: usize = 64;

/// A running receiver. It takes nothing more when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    requests: mpsc::Receiver<Received>,
    accepting: JoinHandle<()>,
}

/// A request that waits for its answer. Dropping it ends the connection without one.
#[derive(Debug)]
pub struct Received {
    /// The path with its query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    answer: oneshot::Sender<Response<Full<Bytes>>>,
}

impl Receiver {
    /// Starts on a free port of 127.0.0.1, in plain HTTP.
    ///
    /// # Errors
    /// When it can't listen.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(None).await
    }

    /// Starts over TLS, with this authority's certificate.
    ///
    /// # Errors
    /// When it can't listen, or the certificate can't be used.
    pub async fn start_securely(authority: &Authority) -> anyhow::Result<Self> {
        let chain = CertificateDer::pem_file_iter(authority.certificate())?.collect::<Result<Vec<_>, _>>()?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        let config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_file(authority.key())?)?;
        Self::start_with(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, requests) = mpsc::channel(QUEUE);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, sender) = (tls.clone(), sender.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, sender).await,
                        // A client that does not believe it ends the handshake.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, sender).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(Self { address, requests, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request.
    ///
    /// # Errors
    /// When none comes within [`WAIT`].
    pub async fn next(&mut self) -> anyhow::Result<Received> {
        let next = timeout(WAIT, self.requests.recv()).await;
        next.with_context(|| format!("no request within {WAIT:?}"))?.context("the receiver has ended")
    }

    /// Whether a request has come that was not asked for.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.requests.is_empty()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Received {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// A header's value, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Answers with this status, these headers and no body.
    ///
    /// # Errors
    /// When they are none, or nobody waits for the answer any more.
    pub fn answer(self, status: u16, headers: &[(&str, &str)]) -> anyhow::Result<()> {
        self.answer_with(status, headers, String::new())
    }

    /// The same with a body.
    ///
    /// # Errors
    /// As [`Received::answer`].
    pub fn answer_with(self, status: u16, headers: &[(&str, &str)], body: String) -> anyhow::Result<()> {
        let response = headers
            .iter()
            .fold(Response::builder().status(status), |response, (name, value)| response.header(*name, *value));
        let answered = self.answer.send(response.body(Full::from(body))?);
        answered.ok().context("nobody waits for the answer")
    }
}

/// Answers the requests of one connection.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, requests: mpsc::Sender<Received>) {
    let service = service_fn(async |request: Request<Incoming>| {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let (answer, answered) = oneshot::channel();
        requests.send(Received { path, headers: head.headers, body, answer }).await?;
        anyhow::Ok(answered.await?)
    });
    // An error is an answer that the test has refused to give, or a client that is gone.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
