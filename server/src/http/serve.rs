//! Connections: capped, served by hyper with its timers on, and ended in good order.
//!
//! warp's own server sets no timer, so that hyper's header timeout is off, and takes HTTP/2 on the same port; its routes
//! are served here as a service instead.

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::{
    Method, Request,
    body::{Body, Incoming},
    header::{HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioTimer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service;
use tracing::{Instrument, debug, error, error_span, field, warn};
use warp::{filters::BoxedFilter, reply::Response};

use super::message;
use crate::{
    budget::{Budget, Counted, Share},
    connection_limit::{ConnectionLimit, Slot},
    error::{ApiError, Cause},
    limits::{HEADER_BYTES, HEADER_TIMEOUT, HEADERS},
    listen::{HttpIo, Remote, Wire},
    request_id::{RequestId, RequestIds},
    route::prepare,
    telemetry::Occasional,
    write_deadline::WriteDeadline,
};

/// What every connection needs.
pub(crate) struct Server {
    routes: BoxedFilter<(Response,)>,
    connections: ConnectionLimit,
    /// For those that get no slot, while they are told so.
    refusals: ConnectionLimit,
    requests: RequestIds,
    budget: Budget,
    stop: CancellationToken,
    tasks: TaskTracker,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Clients that are told at once that every connection is in use, and how long each may take to hear it.
const REFUSALS: usize = 64;
const REFUSAL_TIME: Duration = Duration::from_secs(1);

static REFUSED: Occasional = Occasional::new();
static NO_MEMORY: Occasional = Occasional::new();

impl Server {
    pub(crate) fn new(
        routes: BoxedFilter<(Response,)>,
        max_connections: usize,
        budget: Budget,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            routes,
            connections: ConnectionLimit::new(max_connections),
            refusals: ConnectionLimit::new(REFUSALS),
            requests: RequestIds::new(),
            budget,
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
                let id = self.requests.next();
                if let Some(left_out) = REFUSED.now() {
                    warn!(request.id = %id, client.address = %remote, log.left_out = left_out, "refused: every connection is in use (--max-connections)");
                }
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
            // Who has said all it has to say may still be answered.
            .half_close(true)
            .header_read_timeout(HEADER_TIMEOUT)
            .max_headers(HEADERS)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(HttpIo::new(WriteDeadline::new(wire, self.stop.clone())), service)
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

    /// Answers a request, in a span that names it.
    async fn answer(
        &self,
        mut request: Request<Incoming>,
    ) -> Result<hyper::Response<impl Body<Data = Bytes, Error = warp::Error> + use<>>, Infallible> {
        let (id, is_safe) = (self.requests.next(), request.method().is_safe());
        request.extensions_mut().insert(id);
        // The route says its name when the request has come to it.
        let span = error_span!("request", request.id = %id, http.method = %request.method(), http.route = field::Empty);
        let answering = async {
            let started = Instant::now();
            let (mut response, share) = self.respond(request, is_safe).await;
            log(&mut response, started);
            let headers = response.headers_mut();
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            if let Ok(id) = HeaderValue::try_from(id.to_string()) {
                headers.insert(REQUEST_ID, id);
            }
            response.map(|body| Counted { body, _share: share })
        };
        Ok(answering.instrument(span).await)
    }

    async fn respond(&self, mut request: Request<Incoming>, is_safe: bool) -> (Response, Share) {
        if let Err(response) = message::check(&mut request) {
            return (*response, Share::default());
        }
        let is_health = request.uri().path().starts_with("/health");
        let response = match self.budget.is_spent() && !is_health {
            true => overloaded(),
            false => self.route(request).await,
        };
        self.within_budget(response, is_safe)
    }

    /// The answer with its share of the memory for answers, or a 503. What has changed something is answered as it is.
    fn within_budget(&self, response: Response, is_safe: bool) -> (Response, Share) {
        let bytes = response.body().size_hint().exact().unwrap_or_default();
        match self.budget.take(usize::try_from(bytes).unwrap_or(usize::MAX)) {
            Some(share) => (response, share),
            None if is_safe => (overloaded(), Share::default()),
            None => (response, Share::default()),
        }
    }

    /// Asks the routes.
    async fn route(&self, request: Request<Incoming>) -> Response {
        // It names no path that could say what it takes.
        if request.method() == Method::CONNECT {
            return ApiError::method_not_allowed("GET, HEAD, POST, PUT, PATCH, DELETE").response();
        }
        let mut service = warp::service(self.routes.clone());
        let Ok(()) = poll_fn(|cx| Service::<Request<Incoming>>::poll_ready(&mut service, cx)).await;
        let Ok(response) = service.call(prepare(request)).await;
        response
    }
}

/// What came of a request. The cause of a failure travels with the response.
fn log(response: &mut Response, started: Instant) {
    let status = response.status().as_u16();
    match response.extensions_mut().remove::<Cause>() {
        Some(Cause(cause)) => error!(http.status = status, error = cause, "request failed"),
        None => debug!(http.status = status, duration_us = started.elapsed().as_micros(), "request"),
    }
}

/// Clients that don't read hold all the memory that there is for answers.
fn overloaded() -> Response {
    if let Some(left_out) = NO_MEMORY.now() {
        warn!(log.left_out = left_out, "refused: answers that are not read hold all the memory for answers");
    }
    ApiError::unavailable("overloaded", "too many answers wait for clients that don't read them").response()
}

/// Tells a client to come back later, and reads what it sends: what is unread at the close would cost it the answer.
async fn refuse(mut stream: Wire, id: RequestId, _slot: Slot) -> std::io::Result<()> {
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

#[cfg(test)]
mod tests;
