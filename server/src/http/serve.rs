//! Connections: capped, served by hyper with its timers on, and ended in good order.
//!
//! warp's own server sets no timer, so that hyper's header timeout is off, and takes HTTP/2 on the same port; its routes
//! are served here as a service instead.

use std::{
    convert::Infallible,
    future::poll_fn,
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
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service;
use tracing::{debug, error};
use warp::{filters::BoxedFilter, reply::Response};

use super::access::{self, Access};
use crate::{
    connection_limit::{ConnectionLimit, Slot},
    error::{ApiError, Cause},
    listen::{Remote, Wire},
};

/// What every connection needs.
pub(crate) struct Server {
    routes: BoxedFilter<(Response,)>,
    access: Access,
    connections: ConnectionLimit,
    /// For those that get no slot, while they are told so.
    refusals: ConnectionLimit,
    requests: AtomicU64,
    stop: CancellationToken,
    tasks: TaskTracker,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Clients that are told at once that every connection is in use, and how long each may take to hear it.
const REFUSALS: usize = 64;
const REFUSAL_TIME: Duration = Duration::from_secs(1);

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
            connections: ConnectionLimit::new(max_connections),
            refusals: ConnectionLimit::new(REFUSALS),
            requests: AtomicU64::new(u64::from_ne_bytes(seed)),
            stop,
            tasks: TaskTracker::new(),
        })
    }

    /// Waits until no connection is served.
    pub(crate) async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Serves a connection in a task of its own. Who comes after the stop learns that the server is draining, and
    /// nothing else.
    pub(crate) fn start(self: &Arc<Self>, wire: Wire, remote: Remote) {
        match self.connections.take() {
            Some(slot) => {
                self.tasks.spawn(self.clone().serve(wire, slot));
            }
            None => {
                let id = self.request_id();
                debug!(request.id = id, client.address = %remote, "refused: every connection is in use");
                if let Some(slot) = self.refusals.take() {
                    self.tasks.spawn(timeout(REFUSAL_TIME, refuse(wire, id, slot)));
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, wire: Wire, slot: Slot) {
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(slot.clone());
            self.answer(request)
        });
        let draining = self.stop.is_cancelled();
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .keep_alive(!draining)
            .header_read_timeout(HEADER_TIMEOUT)
            .max_headers(64)
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(wire), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = self.stop.cancelled(), if !draining => {
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
        let id = self.request_id();
        let (method, path) = (request.method().clone(), without_names(request.uri().path()));
        let origin = request.headers().get(ORIGIN).cloned();
        let mut response = match self.access.check(&request) {
            Ok(()) if self.stop.is_cancelled() && !request.uri().path().starts_with("/health") => {
                ApiError::unavailable("stopping", "the server is stopping").response()
            }
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

    fn request_id(&self) -> String {
        format!("{:016x}", self.requests.fetch_add(1, Ordering::Relaxed))
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

/// Tells a client to come back later, and reads what it sends: what is unread at the close would cost it the answer.
async fn refuse(mut stream: Wire, id: String, _slot: Slot) -> std::io::Result<()> {
    let problem = ApiError::unavailable("overloaded", "the server has no room for more connections").problem();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: application/problem+json\r\n{REQUEST_ID}: {id}\r\n\r\n{problem}",
        problem.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut discarded = [0; 1_024];
    while stream.read(&mut discarded).await? > 0 {}
    Ok(())
}
