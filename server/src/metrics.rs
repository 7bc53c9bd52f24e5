//! What the server counts of itself. Names and labels are those of `docs/OPERATIONS.md`; a label's value is one of an enum of
//! the program's, a status or a close code, so that there are so many series and no more, whatever clients send, and none names a room, a
//! peer or an address.
//!
//! What is counted for each message is one relaxed addition to a counter that was made at the start ([`Counts`]); what
//! is known by looking (rooms, bytes that wait) is looked at when somebody asks ([`crate::scrape`]).

mod counts;
mod maker;
mod process;
mod words;

use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::{limits::Limit, relay::table::Refusal};

pub(crate) use counts::Counts;
pub(crate) use words::{AuthFailure, Delivered, Direction, JobCount, JoinResult, Presence, ResumeResult};

use maker::Maker;

/// All of it.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Gauge,
    pub(crate) rooms: Gauge,
    pub(crate) peers: Counts<Presence, Gauge>,
    pub(crate) joins: Counts<JoinResult>,
    pub(crate) join_seconds: Histogram,
    /// By type; none for a frame that is none of the protocol's.
    pub(crate) messages: Counts<Option<grtc_protocol::client::Kind>>,
    pub(crate) deliveries: Counter,
    pub(crate) message_bytes: Counts<Direction>,
    pub(crate) outbox_bytes: Gauge,
    closes: Family<Close, Counter>,
    pub(crate) resumes: Counts<ResumeResult>,
    pub(crate) limited: Counts<Limit>,
    pub(crate) auth_failures: Counts<AuthFailure>,
    requests: Family<Request, Counter>,
    request_seconds: Histogram,
    /// For the store's writer.
    pub(crate) commits: Commits,
    pub(crate) jobs: Counts<JobCount, Gauge>,
    pub(crate) webhook_deliveries: Counts<Delivered>,
    pub(crate) event_streams: Gauge,
    pairs: Family<Pair, Counter>,
    pair_seconds: Histogram,
    pub(crate) turn_allocations: Gauge,
    pub(crate) turn_bytes: Counts<Direction>,
    pub(crate) turn_refused: Counts<Refusal>,
}

/// What is known of each transaction. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Commits {
    pub(crate) group_size: Histogram,
    pub(crate) seconds: Histogram,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Close {
    code: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pair {
    result: &'static str,
    local: &'static str,
    remote: &'static str,
    protocol: &'static str,
}

/// The connection ended without a code of anybody's (RFC 6455, section 7.1.5).
const NO_CODE: u16 = 1006;
/// Upper bounds in seconds: of what takes microseconds when all is well, and of what takes as long as people wait.
const FAST: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 10.0];
const SLOW: [f64; 10] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 15.0, 30.0];
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0];

impl Metrics {
    /// All at nothing. They count from now on, which is the start of the process for whoever asks.
    pub(crate) fn new() -> Self {
        let mut make = Maker::default();
        process::register(&mut make.registry);
        make.build_info();
        Self {
            connections: make.gauge("connections", "Open connections, HTTP and WebSocket together"),
            rooms: make.gauge("rooms", "Rooms that somebody is in"),
            peers: make.counts("peers", "Peers in all rooms", "state"),
            joins: make.counts("joins", "WebSockets that asked to be in a room", "result"),
            join_seconds: make.histogram("join_seconds", "From a join's request to its room_state", &FAST),
            messages: make.counts("messages", "Frames from WebSocket clients", "type"),
            deliveries: make.counter("deliveries", "Frames that were handed over to who they are for"),
            message_bytes: make.counts("message_bytes", "Bytes of text frames of WebSockets", "direction"),
            outbox_bytes: make.gauge("outbox_bytes", "Bytes that wait for WebSocket clients to take them"),
            closes: make.family("closes", "WebSockets that ended, by close code; 1006: without one"),
            resumes: make.counts("resumes", "Clients that came back with a token", "result"),
            limited: make.counts("limited", "What was refused or slowed down by a limit", "limit"),
            auth_failures: make.counts("auth_failures", "Tokens and requests that were not let in", "reason"),
            requests: make.family("http_requests", "Requests that were answered"),
            request_seconds: make.histogram("http_request_seconds", "From a request's head to its answer's", &FAST),
            commits: Commits {
                group_size: make.histogram("commit_group_size", "Requests to the store in one transaction", &SIZES),
                seconds: make.histogram("commit_seconds", "How long a transaction of the store took", &FAST),
            },
            jobs: make.counts("jobs", "Background jobs", "state"),
            webhook_deliveries: make.counts("webhook_deliveries", "Attempts to deliver a job", "result"),
            event_streams: make.gauge("event_streams", "Clients that follow the changes of items"),
            pairs: make.family("pairs", "Outcomes of pairs of peers, as they report them"),
            pair_seconds: make.histogram(
                "pair_connect_seconds",
                "How long pairs took to open, as they report it",
                &SLOW,
            ),
            turn_allocations: make.gauge("turn_allocations", "Allocations of the relay"),
            turn_bytes: make.counts("turn_bytes", "Bytes of data that clients send through the relay", "direction"),
            turn_refused: make.counts("turn_refused", "What the relay did not do", "reason"),
            registry: make.registry,
        }
    }

    /// A WebSocket ended, with this code if there was one.
    pub(crate) fn close(&self, code: Option<grtc_protocol::CloseCode>) {
        let code = code.map_or(NO_CODE, grtc_protocol::CloseCode::code);
        self.closes.get_or_create(&Close { code }).inc();
    }

    /// A request of a route was answered.
    pub(crate) fn request(&self, route: &'static str, method: &hyper::Method, status: u16, seconds: f64) {
        self.requests.get_or_create(&Request { route, method: words::method(method), status }).inc();
        self.request_seconds.observe(seconds);
    }

    /// What a peer reports of a pair.
    pub(crate) fn pair(&self, report: &grtc_protocol::report::Report) {
        let (result, local, remote) = (report.result.word(), report.local.word(), report.remote.word());
        self.pairs.get_or_create(&Pair { result, local, remote, protocol: report.protocol.word() }).inc();
        if let Some(took) = report.took {
            self.pair_seconds.observe(took.as_secs_f64());
        }
    }

    /// All of it as Prometheus reads it: the text format, version 0.0.4.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(32 * 1024);
        // Writing to a string does not fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
impl Default for Commits {
    fn default() -> Self {
        Self { group_size: Histogram::new(SIZES), seconds: Histogram::new(FAST) }
    }
}

#[cfg(test)]
mod tests;
