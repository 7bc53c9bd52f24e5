//! `--redirect-listen`: who asks in plain HTTP is sent to the same place under `https`.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, LOCATION},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioTimer;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::debug;

use crate::{
    connection_limit::ConnectionLimit,
    limits::{HEADER_BYTES, HEADER_TIMEOUT, HEADERS, REDIRECTS},
    listen::{HttpIo, Wire},
    origin::host_and_port,
    write_deadline::WriteDeadline,
};

/// Sends everybody to `https`.
pub(crate) struct Redirect {
    /// The port of the listener that speaks TLS.
    port: u16,
    connections: ConnectionLimit,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Redirect {
    pub(crate) fn new(port: u16, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self { port, connections: ConnectionLimit::new(REDIRECTS), stop, tasks: TaskTracker::new() })
    }

    /// Answers one request of a connection, in a task of its own. Where too many are open, it ends at once.
    pub(crate) fn start(self: &Arc<Self>, wire: Wire) {
        let Some(slot) = self.connections.take() else { return };
        let redirect = self.clone();
        self.tasks.spawn(async move {
            let _slot = slot;
            let io = HttpIo::new(WriteDeadline::new(wire, redirect.stop.clone()));
            let service = service_fn(|request: Request<Incoming>| {
                std::future::ready(Ok::<_, Infallible>(answer(&request, redirect.port)))
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .keep_alive(false)
                .header_read_timeout(HEADER_TIMEOUT)
                .max_headers(HEADERS)
                .max_buf_size(HEADER_BYTES)
                .serve_connection(io, service);
            if let Some(Err(error)) = redirect.stop.run_until_cancelled(connection).await {
                debug!(%error, "a connection that was sent to https ended");
            }
        });
    }
}

/// 308 keeps the method and the body (RFC 9110 section 15.4.9).
fn answer<B>(request: &Request<B>, port: u16) -> Response<Full<Bytes>> {
    let named = match request.uri().authority() {
        Some(target) => Some(target.as_str()),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()),
    };
    let host = named.and_then(host_and_port).filter(|(host, _)| !host.is_empty());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let location = host.and_then(|(host, _)| {
        let port = if port == 443 { String::new() } else { format!(":{port}") };
        HeaderValue::try_from(format!("https://{host}{port}{}", if path.starts_with('/') { path } else { "/" })).ok()
    });
    let (status, text) = match location {
        Some(_) => (StatusCode::PERMANENT_REDIRECT, "this is at https\n"),
        None => (StatusCode::BAD_REQUEST, "Host has to be a host and maybe a port\n"),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.extend(location.map(|location| (LOCATION, location)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(target: &str, host: Option<&str>, port: u16) -> Result<String, u16> {
        let mut request = Request::get(target);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let response = answer(&request.body(()).unwrap(), port);
        let location = response.headers().get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
        location.ok_or(response.status().as_u16())
    }

    #[test]
    fn the_host_stays_and_the_port_is_the_one_of_tls() {
        for (target, host, port, there) in [
            ("/", "grtc.example.org", 443, "https://grtc.example.org/"),
            ("/a?b=c&d=%20", "grtc.example.org:80", 443, "https://grtc.example.org/a?b=c&d=%20"),
            ("/a", "GRTC.example.org:8080", 8443, "https://grtc.example.org:8443/a"),
            ("/a", "[::1]:8080", 8443, "https://[::1]:8443/a"),
            ("http://other.example/a", "grtc.example.org", 443, "https://other.example/a"),
            ("//evil.example/a", "grtc.example.org", 443, "https://grtc.example.org//evil.example/a"),
            ("*", "grtc.example.org", 443, "https://grtc.example.org/"),
        ] {
            assert_eq!(location(target, Some(host), port).as_deref(), Ok(there), "{target}");
        }
        for host in [None, Some(""), Some("a b"), Some("user@host"), Some("host:99999")] {
            assert_eq!(location("/", host, 443), Err(400), "{host:?}");
        }
    }
}
