//! Connections: accepted, capped, served by hyper with its timers on, and ended in good order.
//!
//! warp's own server sets no timer, so that hyper's header timeout is off, and takes HTTP/2 on the same port; its routes
//! are served here as a service instead.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use grtc_protocol::limits::HEADER_TIMEOUT;
use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    header::{HeaderName, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service;
use tracing::{debug, error, warn};
use warp::{filters::BoxedFilter, reply::Response};

use super::access::{self, Access};
use crate::{
    error::{ApiError, Cause},
    place::{Place, Places},
};

/// What every connection needs.
pub(crate) struct Server {
    routes: BoxedFilter<(Response,)>,
    access: Access,
    places: Places,
    requests: AtomicU64,
    stop: CancellationToken,
    tasks: TaskTracker,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What a client gets that comes when every place is taken.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\
    Content-Length: 140\r\nContent-Type: application/problem+json\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\
    \"the server has no room for more connections\",\"code\":\"overloaded\"}";

impl Server {
    pub(crate) fn new(
        routes: BoxedFilter<(Response,)>,
        access: Access,
        max_connections: usize,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let mut seed = [0; 8];
        // Ids only have to differ from those of the last run; without randomness they may not.
        let _ = getrandom::fill(&mut seed);
        Arc::new(Self {
            routes,
            access,
            places: Places::new(max_connections),
            requests: AtomicU64::new(u64::from_ne_bytes(seed)),
            stop,
            tasks: TaskTracker::new(),
        })
    }

    /// Accepts until told to stop. The tracker holds the connections that are still being served then.
    pub(crate) async fn accept(self: Arc<Self>, listener: TcpListener) -> TaskTracker {
        let mut failing = false;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, address)) => {
                    failing = false;
                    self.start(stream, address);
                }
                // Most often no file descriptor is left: connections end and give theirs back.
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        warn!(%error, "no connection can be accepted; trying again");
                    }
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
        self.tasks.close();
        self.tasks.clone()
    }

    fn start(self: &Arc<Self>, stream: TcpStream, address: SocketAddr) {
        match self.places.take() {
            Some(place) => {
                self.tasks.spawn(self.clone().serve(stream, place));
            }
            None => {
                debug!(client.address = %Redacted(address), "refused: every place is taken");
                self.tasks.spawn(refuse(stream));
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, place: Place) {
        // Small frames go out at once; what fails here fails again at the first read.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(place.clone());
            self.answer(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_headers(64)
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            debug!(%error, "connection ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let started = Instant::now();
        let id = format!("{:016x}", self.requests.fetch_add(1, Ordering::Relaxed));
        let (method, path) = (request.method().clone(), without_names(request.uri().path()));
        let origin = request.headers().get(ORIGIN).cloned();
        let mut response = match self.access.check(&request) {
            Ok(()) => {
                let mut response = self.route(request).await;
                if let Some(origin) = origin {
                    access::allow_reading(origin, response.headers_mut());
                }
                response
            }
            Err(response) => *response,
        };
        let status = response.status();
        match response.extensions_mut().remove::<Cause>() {
            Some(Cause(cause)) => {
                error!(request.id = id, http.method = %method, http.path = path, http.status = status.as_u16(), error = cause, "request failed");
            }
            None => {
                let duration_us = started.elapsed().as_micros();
                debug!(request.id = id, http.method = %method, http.path = path, http.status = status.as_u16(), duration_us, "request");
            }
        }
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(REQUEST_ID, id);
        }
        Ok(response)
    }

    /// Asks the routes. A panic in one of them ends this request and nothing else.
    async fn route(&self, request: Request<Incoming>) -> Response {
        if request.method() == Method::TRACE || request.method() == Method::CONNECT {
            return ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "no path takes this method")
                .response();
        }
        let mut service = warp::service(self.routes.clone());
        let answer = AssertUnwindSafe(async {
            let Ok(()) = poll_fn(|cx| Service::<Request<Incoming>>::poll_ready(&mut service, cx)).await;
            let Ok(response) = service.call(request).await;
            response
        });
        match answer.catch_unwind().await {
            Ok(response) => response,
            Err(_) => ApiError::internal("a handler panicked; the message before this one says where").response(),
        }
    }
}

/// The path for the log, which has no names of rooms.
fn without_names(path: &str) -> String {
    for prefix in ["/ws/", "/rooms/"] {
        if path.starts_with(prefix) {
            return format!("{prefix}…");
        }
    }
    path.to_owned()
}

async fn refuse(mut stream: TcpStream) {
    // The client may be gone, or its request still on its way: it is refused either way.
    let _ = stream.write_all(FULL).await;
    let _ = stream.shutdown().await;
}

/// An address is personal: the log says which network it is from.
struct Redacted(SocketAddr);

impl std::fmt::Display for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.ip().is_loopback() { "loopback" } else { "remote" })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let text = std::str::from_utf8(super::FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
