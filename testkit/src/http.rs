//! An HTTP client as verbs, one connection a request.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Method, Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

/// How long a client waits for an answer.
pub const WAIT: Duration = Duration::from_secs(10);

/// The HTTP side of a server.
#[derive(Clone, Copy, Debug)]
pub struct Http {
    server: SocketAddr,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status as a number.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is empty.
    ///
    /// # Errors
    /// When it is neither empty nor JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, if it is there once or more and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Http {
    /// A client of the server at this address.
    #[must_use]
    pub fn new(server: SocketAddr) -> Self {
        Self { server }
    }

    /// GET `path`, which begins with a slash and may have a query.
    ///
    /// # Errors
    /// When there is no answer within [`WAIT`]. Any status is an answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, &[], None).await
    }

    /// POST a JSON body.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// PUT a JSON body.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::PUT, path, &[], Some(body)).await
    }

    /// PATCH with a JSON body.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::PATCH, path, &[], Some(body)).await
    }

    /// DELETE `path`.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Any request with headers of its own and a JSON body.
    ///
    /// # Errors
    /// As [`Http::get`], and when the method, the path or a header is none.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.send_raw(request.body(body).context("not a request")?).await
    }

    /// Any request as it is; `Host` is added when it has none.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn send_raw(&self, mut request: Request<Bytes>) -> anyhow::Result<Answer> {
        let what = format!("{} {}", request.method(), request.uri());
        if !request.headers().contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, self.server.to_string().parse()?);
        }
        let exchanged = async {
            let stream = TcpStream::connect(self.server).await.context("can't connect")?;
            exchange(stream, request).await
        };
        let answer = timeout(WAIT, exchanged).await;
        answer.with_context(|| format!("no answer to {what} within {WAIT:?}"))?.with_context(|| what)
    }
}

/// One request and its answer over a connection.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Bytes>,
) -> anyhow::Result<Answer> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends by itself when the sender is dropped; its error is the sender's as well.
    let connection = tokio::spawn(connection);
    let answer = async {
        let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }
    .await;
    connection.abort();
    answer
}
