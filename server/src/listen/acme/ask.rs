//! How the authority is asked: a connection a request, which is seldom.

use std::{pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, Uri,
    client::conn::http1,
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// How long an answer may take, and how long it may be.
const PATIENCE: Duration = Duration::from_secs(30);
const ANSWER_BYTES: usize = 1024 * 1024;

/// Asks over TLS, as somebody who believes these authorities.
pub(super) struct Ask(pub(super) Arc<ClientConfig>);

impl HttpClient for Ask {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let trust = self.0.clone();
        Box::pin(async move {
            let uri = request.uri().clone();
            let answer = timeout(PATIENCE, exchange(trust, request)).await.context("it does not answer").flatten();
            let answer = answer.with_context(|| format!("{} can't be asked", uri.host().unwrap_or_default()));
            answer.map(BytesResponse::from).map_err(|error| Error::Other(format!("{error:#}").into()))
        })
    }
}

async fn exchange(
    trust: Arc<ClientConfig>,
    mut request: Request<BodyWrapper<Bytes>>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let uri = request.uri().clone();
    ensure!(uri.scheme_str() == Some("https"), "{uri} is not an https:// URL");
    let authority = uri.authority().context("the URL names no host")?;
    let (host, port) = (authority.host(), authority.port_u16().unwrap_or(443));
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
    let stream = TlsConnector::from(trust).connect(name, stream).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    request.headers_mut().insert(HOST, HeaderValue::try_from(authority.as_str())?);
    *request.uri_mut() =
        uri.path_and_query().map_or_else(|| Ok(Uri::from_static("/")), |path| path.as_str().parse())?;
    let answered = async move {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await.map_err(anyhow::Error::from_boxed)?;
        anyhow::Ok(Response::from_parts(head, Full::new(body.to_bytes())))
    };
    // The sender goes with the answer, and with it the connection.
    let (answer, _) = tokio::join!(answered, connection);
    answer
}
