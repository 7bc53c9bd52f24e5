//! `grtc-server health`: for a container's health check, where there is no shell and no curl.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use hyper::{Request, StatusCode, Uri, header::HOST, http::uri::Authority};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::roots;

/// What is asked, and how.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// What to ask
    #[arg(long, default_value = "http://127.0.0.1:8001/health/ready", value_name = "URL")]
    url: String,
    /// Over https, believe the authorities in this file (PEM) instead of the system's
    #[arg(long, env = "GRTC_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The name in the certificate, where the URL has another one, as 127.0.0.1
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
}

/// How long a server may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// Asks the server.
///
/// # Errors
/// When it can't be reached within 3 s, or answers with anything but 200.
pub async fn health(args: HealthArgs) -> anyhow::Result<()> {
    let url = &args.url;
    let uri: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
    let port = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => bail!("{url:?} is not an http:// or https:// URL"),
    };
    let authority = uri.authority().with_context(|| format!("{url:?} names no host"))?;
    let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(port));
    let status = timeout(PATIENCE, async {
        let stream = TcpStream::connect(&address).await?;
        if port == 80 {
            return ask(stream, &uri, authority).await;
        }
        let name = args.server_name.as_deref().unwrap_or(authority.host());
        let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned())?;
        let connector = TlsConnector::from(roots::client(args.ca.as_deref())?);
        ask(connector.connect(name, stream).await?, &uri, authority).await
    })
    .await
    .with_context(|| format!("{address} did not answer within {} s", PATIENCE.as_secs()))?
    .with_context(|| format!("{address} can't be asked"))?;
    if status != StatusCode::OK {
        bail!("{url} answered {status}");
    }
    Ok(())
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    uri: &Uri,
    authority: &Authority,
) -> anyhow::Result<StatusCode> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header(HOST, authority.as_str()).body(String::new())?;
    let answer = async move { anyhow::Ok(sender.send_request(request).await?.status()) };
    let (answer, _) = tokio::join!(answer, connection);
    answer
}
