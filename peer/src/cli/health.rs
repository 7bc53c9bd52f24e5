//! `grtc-peer health`: for a container's health check, where there is no shell and no curl.

use std::time::Duration;

use clap::Args;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use warp::http::Uri;

use super::Exit;
use crate::stderr;

/// How long a peer may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the answer begins with: `HTTP/1.1 200`.
const STATUS_BYTES: usize = 12;

/// Asks a status page.
#[derive(Debug, Args)]
pub(super) struct Health {
    /// What to ask.
    #[arg(long, default_value = "http://127.0.0.1:7900/health", value_name = "URL")]
    url: Uri,
}

impl Health {
    pub(super) async fn run(self) -> Exit {
        let (Some("http"), Some(authority)) = (self.url.scheme_str(), self.url.authority()) else {
            stderr::line(&format!("grtc-peer: {} is not an http:// URL", self.url));
            return Exit::Usage;
        };
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        let asked = timeout(PATIENCE, status(&address, &request)).await;
        let problem = match asked {
            Ok(Ok(status)) if status == "200" => return Exit::Well,
            Ok(Ok(status)) => format!("answered {status:?}"),
            Ok(Err(error)) => format!("can't be asked: {error}"),
            Err(_) => format!("did not answer within {} s", PATIENCE.as_secs()),
        };
        stderr::line(&format!("grtc-peer: {} {problem}", self.url));
        Exit::Local
    }
}

/// The status code of the answer.
async fn status(address: &str, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; STATUS_BYTES];
    stream.read_exact(&mut head).await?;
    Ok(String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn ask(answer: &'static [u8]) -> Exit {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/health", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(answer).await.unwrap();
        });
        Health { url }.run().await
    }

    #[tokio::test]
    async fn only_a_200_is_healthy() {
        assert_eq!(ask(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await, Exit::Well);
        assert_eq!(ask(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await, Exit::Local);
        assert_eq!(ask(b"HTTP").await, Exit::Local);
        let url = "https://127.0.0.1/".parse().unwrap();
        assert_eq!(Health { url }.run().await, Exit::Usage);
    }
}
