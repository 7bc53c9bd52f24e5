//! Traces: a span for each request, told to a collector (OpenTelemetry, OTLP over HTTP) where there is one. Spans wait in a queue
//! with a bound, and go out by themselves: a collector that is away or hangs costs spans and nothing else.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use hyper::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
pub(crate) use opentelemetry::Context;
use opentelemetry::{
    KeyValue,
    propagation::TextMapPropagator,
    trace::{Span, SpanKind, Status, Tracer, TracerProvider},
};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use reqwest::Client;
use tokio::{runtime::Handle, task::spawn_blocking};
use tracing::{info, warn};

use crate::{config::OtlpEndpoint, request_id::RequestId, roots};

/// How long a collector may take for some spans.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of the server waits for it.
const FLUSH: Duration = Duration::from_secs(2);
/// What is read of its answer.
const ANSWER_BYTES: usize = 64 * 1024;

/// Makes spans and has them told.
pub(crate) struct Traces {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

/// A request that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) id: RequestId,
    pub(crate) method: &'a Method,
    /// As `/api/items/{item_id}`.
    pub(crate) route: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) started: Instant,
}

impl Traces {
    /// For this collector, which nobody asks yet whether it is there.
    ///
    /// # Errors
    /// When there is nobody to vouch for one that is asked over https.
    pub(crate) fn new(endpoint: &OtlpEndpoint) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(endpoint)?)
            .with_endpoint(endpoint.traces())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .build()
            .context("spans can't be sent")?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("grtc-server").with_attribute(version).build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Self { tracer: provider.tracer("grtc-server"), provider })
    }

    /// The span that the client has the request be a part of (`traceparent`, W3C Trace Context).
    pub(crate) fn parent(headers: &HeaderMap) -> Context {
        TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers))
    }

    /// Tells of a request.
    pub(crate) fn request(&self, parent: &Context, answered: &Answered<'_>) {
        let Answered { id, method, route, status, started } = answered;
        let end = SystemTime::UNIX_EPOCH + Duration::from_micros(Timestamp::now().as_microsecond().unsigned_abs());
        // A method is a word of the client's.
        let method = if known(method) { method.as_str() } else { "_OTHER" };
        let mut span = self
            .tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_start_time(end - started.elapsed())
            .with_attributes([
                KeyValue::new("http.request.method", method.to_owned()),
                KeyValue::new("http.route", *route),
                KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
                KeyValue::new("request.id", id.to_string()),
            ])
            .start_with_context(&self.tracer, parent);
        if status.is_server_error() {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(end);
    }

    /// Sends what waits, for two seconds at most.
    pub(crate) async fn finish(&self) {
        let provider = self.provider.clone();
        let _ = spawn_blocking(move || provider.shutdown_with_timeout(FLUSH)).await;
    }
}

fn known(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        .contains(method)
}

/// The client by which spans go out. It is used from a thread without a runtime.
#[derive(Debug)]
struct Collector {
    client: Client,
    runtime: Handle,
    /// The last try has failed, and the log has it.
    failing: AtomicBool,
}

impl Collector {
    fn new(endpoint: &OtlpEndpoint) -> anyhow::Result<Self> {
        let client = roots::requests(endpoint.url(), PATIENCE)?;
        Ok(Self { client, runtime: Handle::current(), failing: AtomicBool::new(false) })
    }

    /// Says when it begins to fail, and when that is over.
    fn note(&self, failed: Option<String>) {
        let before = self.failing.swap(failed.is_some(), Relaxed);
        match failed {
            Some(error) if !before => warn!(error, "traces are lost: --otlp-endpoint does not take them"),
            None if before => info!("traces are taken again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sending = self.runtime.spawn(send(self.client.clone(), request)).await;
        let sent = sending.unwrap_or_else(|error| Err(error.into()));
        self.note(match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answers {}", response.status())),
            Err(error) => Some(format!("{error:#}")),
        });
        sent.map_err(Into::into)
    }
}

async fn send(client: Client, request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
    // Its URL is in no log: there may be a secret in it.
    let sent = client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url);
    let mut response = sent.context("it can't be reached")?;
    let (status, headers, mut body) = (response.status(), response.headers().clone(), Vec::new());
    while let Some(part) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        body.extend_from_slice(&part);
        ensure!(body.len() <= ANSWER_BYTES, "its answer has more than {ANSWER_BYTES} bytes");
    }
    let mut answer = Response::new(body.into());
    (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
    Ok(answer)
}
