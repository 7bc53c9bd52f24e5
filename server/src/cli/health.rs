//! `grtc-server health`: for a container's health check, where there is no shell and no curl.

use anyhow::{Context, bail};
use clap::Args;
use hyper::{Request, StatusCode, Uri, header::HOST};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// What to ask
    #[arg(long, default_value = "http://127.0.0.1:8001/health/ready", value_name = "URL")]
    pub(super) url: String,
}

/// How long a server may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// Asks the server at `url` (plain `http`).
///
/// # Errors
/// When it can't be reached within 3 s, or answers with anything but 200.
pub async fn health(url: &str) -> anyhow::Result<()> {
    let uri: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"));
    let authority = authority.with_context(|| format!("{url:?} is not an http:// URL"))?.clone();
    let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
    let status = timeout(PATIENCE, async {
        let stream = TcpStream::connect(&address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::get(path).header(HOST, authority.as_str()).body(String::new())?;
        let answer = async move { anyhow::Ok(sender.send_request(request).await?.status()) };
        let (answer, _) = tokio::join!(answer, connection);
        answer
    })
    .await
    .with_context(|| format!("{address} did not answer within {} s", PATIENCE.as_secs()))?
    .with_context(|| format!("{address} can't be asked"))?;
    if status != StatusCode::OK {
        bail!("{url} answered {status}");
    }
    Ok(())
}
