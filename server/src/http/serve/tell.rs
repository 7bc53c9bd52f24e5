//! An answer before there is a request.

use std::fmt::Write;

use hyper::header::{HeaderName, STRICT_TRANSPORT_SECURITY};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{error::ApiError, listen::Wire, request_id::RequestId};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How long browsers are to come back over TLS alone (RFC 6797), in seconds.
pub(super) const HSTS: &str = "max-age=31536000";

/// Answers before there is a request, and reads what the client sends: what is unread at the close would cost it the answer.
pub(super) async fn tell(mut stream: Wire, id: RequestId, error: ApiError) -> std::io::Result<()> {
    let problem = error.problem();
    let response = error.response();
    let mut answer = format!("HTTP/1.1 {}\r\nconnection: close\r\n", response.status());
    for (name, value) in response.headers() {
        let _ = write!(answer, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    if let Wire::Tls(_) = stream {
        let _ = write!(answer, "{STRICT_TRANSPORT_SECURITY}: {HSTS}\r\n");
    }
    let _ = write!(answer, "{REQUEST_ID}: {id}\r\ncontent-length: {}\r\n\r\n{problem}", problem.len());
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut discarded = [0; 1_024];
    while stream.read(&mut discarded).await? > 0 {}
    Ok(())
}
