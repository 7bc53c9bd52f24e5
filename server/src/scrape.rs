//! `GET /metrics` on a listener of its own: what Prometheus comes for. It tells how the server is, and so has a place that the
//! operator chooses (`--metrics-listen`), apart from what clients reach.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, Semaphore},
    task::spawn_blocking,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info};

use crate::{
    http::serve::Server,
    hub::registry::Registry,
    limits::HEADER_TIMEOUT,
    listen::{accepted, listeners},
    metrics::{JobCount, Metrics, Presence},
    store::Store,
};

/// Connections at a time: one collector has one or two.
const CONNECTIONS: usize = 16;
/// How old the count of the jobs may be: it looks at all of them.
const JOBS_AGE: Duration = Duration::from_secs(10);

/// The listener for Prometheus, which the log names.
///
/// # Errors
/// When the address is somebody else's.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = listeners::bind(address, "--metrics-listen").await?;
    let address = listener.local_addr().context("the listener has no address")?;
    info!(metrics.address = %address, "metrics: http://{address}/metrics");
    Ok(listener)
}
/// The text format of Prometheus.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Where the figures come from.
pub(crate) struct Scrape {
    metrics: Arc<Metrics>,
    registry: Registry,
    server: Arc<Server>,
    store: Store,
    /// When the jobs were counted.
    counted: Mutex<Option<Instant>>,
}

impl Scrape {
    pub(crate) fn new(metrics: Arc<Metrics>, registry: Registry, server: Arc<Server>, store: Store) -> Arc<Self> {
        Arc::new(Self { metrics, registry, server, store, counted: Mutex::new(None) })
    }

    /// Answers until the server stops.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let (tasks, places) = (TaskTracker::new(), Arc::new(Semaphore::new(CONNECTIONS)));
        let accepting = async {
            loop {
                let Ok(place) = places.clone().acquire_owned().await else { return };
                let (stream, _) = accepted(&listener).await;
                let (scrape, stop) = (self.clone(), stop.clone());
                tasks.spawn(async move {
                    stop.run_until_cancelled(scrape.connection(stream)).await;
                    drop(place);
                });
            }
        };
        stop.run_until_cancelled(accepting).await;
        tasks.close();
        tasks.wait().await;
    }

    async fn connection(&self, stream: TcpStream) {
        let service = service_fn(async |request| Ok::<_, Infallible>(self.answer(&request).await));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = served.await {
            debug!(%error, "a connection for metrics ended");
        }
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let mut response = match (request.uri().path(), request.method()) {
            ("/metrics", &Method::GET | &Method::HEAD) => Response::new(self.text().await.into()),
            ("/metrics", _) => refusal(StatusCode::METHOD_NOT_ALLOWED, "this path takes GET\n"),
            _ => refusal(StatusCode::NOT_FOUND, "there is /metrics here, and nothing else\n"),
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, TEXT);
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        response
    }

    /// All of it, as it is now.
    async fn text(&self) -> String {
        let (metrics, census) = (self.metrics.clone(), self.registry.census());
        metrics.connections.set(number(self.server.connections()));
        metrics.rooms.set(number(census.rooms));
        metrics.peers.set(Presence::Connected, census.connected);
        metrics.peers.set(Presence::Away, census.away);
        metrics.outbox_bytes.set(number(census.waiting_bytes));
        self.count_jobs().await;
        // It reads what the system knows of the process, which is no work for a thread that serves.
        spawn_blocking(move || metrics.text()).await.unwrap_or_default()
    }

    async fn count_jobs(&self) {
        let mut counted = self.counted.lock().await;
        if counted.is_some_and(|at| at.elapsed() < JOBS_AGE) {
            return;
        }
        match self.store.job_counts().await {
            Ok(counts) => {
                let states = [JobCount::Queued, JobCount::Running, JobCount::Done, JobCount::Failed];
                states.into_iter().zip(counts).for_each(|(state, count)| self.metrics.jobs.set(state, count));
                *counted = Some(Instant::now());
            }
            Err(error) => debug!(%error, "the jobs can't be counted"),
        }
    }
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
