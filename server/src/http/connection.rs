//! One connection, in the version of HTTP that it speaks, with its timers, and ended in good order when the server stops.

use std::{
    convert::Infallible,
    error::Error,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    rt::Executor,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::TokioTimer;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::streams::{Pieces, Streams};
use crate::{
    limits::{HEADER_BYTES, HEADER_TIMEOUT, HEADERS, HTTP2_STREAMS},
    listen::HttpIo,
};

/// How long the first request of a connection is waited for that came just before the stop.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// How long a client may take to hear that an HTTP/2 connection ends.
const GOODBYE: Duration = Duration::from_secs(5);
/// Silence after which an HTTP/2 client is asked for a sign of life, and how long it may take for that.
const PING: Duration = Duration::from_secs(25);
const PONG: Duration = Duration::from_secs(10);
/// What one client may have under way of request bodies: of all its streams, and of one of them.
const CONNECTION_WINDOW: u32 = 256 * 1024;
const STREAM_WINDOW: u32 = 64 * 1024;
/// Bytes of answers that wait in one stream.
const SEND_BUFFER: usize = 64 * 1024;

/// HTTP/1.1 (RFC 9112), until it ends.
pub(super) async fn http1<F, B>(
    io: HttpIo,
    answer: impl Fn(Request<Incoming>) -> F,
    stop: &CancellationToken,
) -> hyper::Result<()>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let draining = stop.is_cancelled();
    let begun = AtomicBool::new(false);
    let service = service_fn(|request| {
        begun.store(true, Relaxed);
        answer(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(!draining)
        // Who has said all it has to say may still be answered.
        .half_close(true)
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(HEADERS)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled(), if !draining => {}
    }
    // Who has just connected has a request on its way.
    if !begun.load(Relaxed)
        && let Ok(ended) = timeout(FIRST_REQUEST, connection.as_mut()).await
    {
        return ended;
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// HTTP/2 (RFC 9113), until it ends.
pub(super) async fn http2<F, B>(
    io: HttpIo,
    answer: impl Fn(Request<Incoming>) -> F + Send + 'static,
    stop: &CancellationToken,
    tasks: TaskTracker,
) -> hyper::Result<()>
where
    F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let streams = Arc::new(Streams::new());
    let service = service_fn({
        let streams = streams.clone();
        move |request| {
            let (stream, answering) = (streams.begin(), answer(request));
            async move { Ok::<_, Infallible>(answering.await?.map(|body| Pieces::new(body, stream))) }
        }
    });
    let connection = http2::Builder::new(Tracked(tasks))
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(STREAM_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
        () = streams.idle() => connection.as_mut().graceful_shutdown(),
        // Whoever takes nothing would not take a goodbye.
        () = streams.stalled() => return Ok(()),
    }
    let over = async {
        streams.done().await;
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::select! {
        ended = connection => ended,
        () = streams.stalled() => Ok(()),
        () = over => Ok(()),
    }
}

/// Runs the streams of HTTP/2 where the server knows of them.
#[derive(Clone)]
struct Tracked(TaskTracker);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tracked {
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}
