//! Connections: capped, served by hyper with its timers on, and ended in good order.
//!
//! warp's own server sets no timer, so that hyper's header timeout is off, and takes HTTP/2 on the same port; its routes
//! are served here as a service instead.

use std::{
    convert::Infallible,
    future::poll_fn,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::{
    Method, Request,
    body::{Body, Incoming},
    header::{HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS},
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service;
use tracing::{Instrument, debug, error, error_span, field, warn};
use warp::{filters::BoxedFilter, reply::Response};

use self::tell::{HSTS, REQUEST_ID, tell};
use super::{connection, doorkeeper::Doorkeeper, message};
use crate::{
    budget::{Budget, Counted, Share},
    connection_limit::{ConnectionLimit, Slot},
    error::{ApiError, Cause},
    listen::{
        HttpIo, Remote, Takes, Wire,
        tls::{NotOpened, Tls},
    },
    relay::exchange::Exchange,
    request_id::{RequestId, RequestIds},
    route::{RouteName, prepare},
    telemetry::Occasional,
    traces::{Answered, Context, Traces},
    write_deadline::WriteDeadline,
};

/// What every connection needs.
pub(crate) struct Server {
    routes: BoxedFilter<(Response,)>,
    door: Doorkeeper,
    /// For those that get no slot, while they are told so.
    refusals: ConnectionLimit,
    requests: RequestIds,
    budget: Budget,
    /// None: plain HTTP is spoken.
    tls: Option<Tls>,
    /// None: nothing is relayed.
    relay: Option<Arc<Exchange>>,
    traces: Option<Arc<Traces>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Clients that are told at once that every connection is in use, and how long each may take to hear it.
const REFUSALS: usize = 64;
const REFUSAL_TIME: Duration = Duration::from_secs(1);

static NO_MEMORY: Occasional = Occasional::new();

impl Server {
    pub(crate) fn new(
        routes: BoxedFilter<(Response,)>,
        door: Doorkeeper,
        budget: Budget,
        tls: Option<Tls>,
        relay: Option<Arc<Exchange>>,
        traces: Option<Arc<Traces>>,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            routes,
            door,
            refusals: ConnectionLimit::new(REFUSALS),
            requests: RequestIds::new(),
            budget,
            tls,
            relay,
            traces,
            stop,
            tasks: TaskTracker::new(),
        })
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> usize {
        self.door.connections()
    }

    /// Waits until no connection is served.
    pub(crate) async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Serves a connection in a task of its own. Who comes after the stop learns that the server is draining, and
    /// nothing else.
    pub(crate) fn start(self: &Arc<Self>, wire: Wire, remote: Remote, takes: Takes) {
        match self.door.slot() {
            Ok(slot) => {
                self.tasks.spawn(self.clone().open(wire, remote, slot, takes));
            }
            Err(error) => self.refuse(wire, remote, error),
        }
    }

    /// Tells somebody why there is no connection, if not too many are being told so.
    fn refuse(self: &Arc<Self>, wire: Wire, remote: Remote, error: ApiError) {
        let id = self.requests.next();
        Doorkeeper::refused(remote, id, &error);
        if let Some(slot) = self.refusals.take() {
            let server = self.clone();
            self.tasks.spawn(timeout(REFUSAL_TIME, async move {
                let _slot = slot;
                if let Some(wire) = server.secured(wire, Takes::Http).await {
                    let _ = tell(wire, id, error).await;
                }
            }));
        }
    }

    /// Lets a connection in, if its client may have one, and serves it.
    async fn open(self: Arc<Self>, mut wire: Wire, remote: Remote, slot: Slot, takes: Takes) {
        let introduced = self.door.introduced(&mut wire, remote);
        // Who comes after the stop is told of it; who has said nothing by then is not waited for.
        let introduced = match self.stop.is_cancelled() {
            true => introduced.await,
            false => self.stop.run_until_cancelled(introduced).await.flatten(),
        };
        let Some(remote) = introduced else { return };
        match self.door.admit(remote, slot) {
            Ok(slot) => self.serve(wire, remote, slot, takes).await,
            Err(error) => self.refuse(wire, remote, error),
        }
    }

    async fn serve(self: Arc<Self>, wire: Wire, remote: Remote, slot: Slot, takes: Takes) {
        let Some(wire) = self.secured(wire, takes).await else { return };
        let Some((wire, slot)) = self.told_apart(wire, remote, slot, takes).await else { return };
        let http2 = wire.speaks_http2();
        let io = HttpIo::new(WriteDeadline::new(wire, self.stop.clone()));
        let server = self.clone();
        let answer = move |request: Request<Incoming>| {
            let (server, slot) = (server.clone(), slot.clone());
            async move { server.answer(request, remote, &slot).await }
        };
        let ended = match http2 {
            // On the heap: it is the larger one, and not what most connections are.
            true => Box::pin(connection::http2(io, answer, &self.stop, self.tasks.clone())).await,
            false => connection::http1(io, answer, &self.stop).await,
        };
        if let Err(error) = ended {
            debug!(%error, "connection ended");
        }
    }

    /// The connection that HTTP is spoken over, under TLS where that is spoken here; STUN may be spoken without.
    async fn secured(&self, wire: Wire, takes: Takes) -> Option<Wire> {
        let Some(tls) = &self.tls else { return Some(wire) };
        match tls.open(wire).await {
            Ok(wire) => return Some(wire),
            Err(NotOpened::PlainHttp(stream)) => {
                let error =
                    ApiError::bad_request("https_only", "this port speaks TLS: ask for https:// instead of http://");
                let _ = timeout(REFUSAL_TIME, tell(Wire::Plain(stream), self.requests.next(), error)).await;
            }
            Err(NotOpened::Stun(stream)) => return (takes != Takes::Http).then_some(Wire::Plain(stream)),
            Err(NotOpened::Proved) => debug!("an authority has looked"),
            Err(NotOpened::Failed(error)) => debug!(%error, "no TLS was spoken"),
            Err(NotOpened::TooSlow) => debug!("no TLS was spoken in time"),
        }
        None
    }

    /// Answers a request, in a span that names it.
    async fn answer(
        &self,
        mut request: Request<Incoming>,
        remote: Remote,
        slot: &Slot,
    ) -> Result<hyper::Response<impl Body<Data = Bytes, Error = warp::Error> + use<>>, Infallible> {
        let (id, method) = (self.requests.next(), request.method().clone());
        request.extensions_mut().insert(id);
        // The route says its name when the request has come to it.
        let span = error_span!("request", request.id = %id, http.method = %request.method(), http.route = field::Empty, user.id = field::Empty);
        let answering = async {
            let started = Instant::now();
            let parent = self.traces.is_some().then(|| Traces::parent(request.headers()));
            let (address, slot) = self.door.request(remote, request.headers(), slot);
            let extensions = request.extensions_mut();
            extensions.insert(address);
            // Where there is none, the route says so in its way.
            match slot.clone() {
                Ok(slot) => drop(extensions.insert(slot)),
                Err(too_many) => drop(extensions.insert(too_many)),
            }
            let (mut response, share) = self.respond(request, method.is_safe()).await;
            self.note(&mut response, id, &method, started, parent);
            let headers = response.headers_mut();
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            if self.tls.is_some() {
                headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
            }
            if let Ok(id) = HeaderValue::try_from(id.to_string()) {
                headers.insert(REQUEST_ID, id);
            }
            response.map(|body| Counted { body, _share: share, _slot: slot.ok() })
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

    /// What came of a request, for the log and the metrics. The cause of a failure and the name of the route travel with the response.
    fn note(&self, response: &mut Response, id: RequestId, method: &Method, started: Instant, parent: Option<Context>) {
        let route = response.extensions_mut().remove::<RouteName>().map_or("other", |route| route.0);
        let status = response.status();
        self.door.metrics().request(route, method, status.as_u16(), started.elapsed().as_secs_f64());
        if let (Some(traces), Some(parent)) = (&self.traces, parent) {
            traces.request(&parent, &Answered { id, method, route, status, started });
        }
        log(response, status.as_u16(), started);
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

fn log(response: &mut Response, status: u16, started: Instant) {
    match response.extensions_mut().remove::<Cause>() {
        Some(Cause(cause)) => error!(http.status = status, error = cause, "request failed"),
        None => {
            let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            debug!(http.status = status, duration_us, "request");
        }
    }
}

/// Clients that don't read hold all the memory that there is for answers.
fn overloaded() -> Response {
    if let Some(left_out) = NO_MEMORY.now() {
        warn!(log.left_out = left_out, "refused: answers that are not read hold all the memory for answers");
    }
    ApiError::unavailable("overloaded", "too many answers wait for clients that don't read them").response()
}

mod relay;
mod tell;
#[cfg(test)]
mod tests;
