//! Every bound of HTTP, the items, the jobs and the connections, once; those of the WebSocket protocol stand in
//! `grtc_protocol::limits`. Each is documented in `docs/OPERATIONS.md` with the answer that a client gets beyond it.
//!
//! A number that nobody outside of its file meets (the length of a queue, the size of a buffer) stays in that file,
//! beside its reason.

//!
//! Those that an operator can change stand in a table ([`TABLE`]), with the flags and the documentation made from it.

mod holdings;
mod keyed;
pub(crate) mod limiter;
mod table;
mod values;

use std::time::Duration;

pub use table::{Entry, Limit, TABLE};

pub(crate) use table::LIMIT_ORDER;
pub use values::Values;

pub(crate) use holdings::Held;
pub(crate) use values::Rate;

/// Headers of one request, and the bytes of all of them together with the request line (431 beyond).
pub const HEADERS: usize = 64;
/// See [`HEADERS`].
pub const HEADER_BYTES: usize = 16 * 1024;
/// How long a client may take to send a request's headers.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take for the handshake of TLS.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams that one HTTP/2 client may have open at once.
pub const HTTP2_STREAMS: u32 = 64;
/// Open connections of who is sent from plain HTTP to https.
pub const REDIRECTS: usize = 256;
/// Largest HTTP request body, in bytes (413 beyond).
pub const BODY_BYTES: u64 = 1024 * 1024;
/// How long a client may take to send a request's body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long requests under way may go on after the server was told to stop.
pub const DRAIN: Duration = Duration::from_secs(7);

/// Longest title of an item, in Unicode scalar values.
pub const TITLE_CHARS: usize = 200;
/// Longest description of an item, in Unicode scalar values.
pub const DESCRIPTION_CHARS: usize = 10_000;
/// Longest text to search for, in Unicode scalar values.
pub const QUERY_CHARS: usize = 200;
/// Items or ids in one bulk request.
pub const BULK_ITEMS: usize = 1_000;
/// Items or jobs in one page of a list.
pub const LIST_ITEMS: u64 = 1_000;
/// Items or jobs in one page of a list when the client names no number.
pub const LIST_DEFAULT: u64 = 100;
/// Faults of one body that are told at once.
pub const FIELD_ERRORS: usize = 100;
/// Changes kept for clients that come back to the live events.
pub const EVENT_HISTORY: usize = 1_000;
/// A comment after so much silence of the live events keeps proxies from ending the stream.
pub const EVENT_KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long an `Idempotency-Key` is remembered.
pub const IDEMPOTENCY_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 255;

/// Longest `sub` or `jti` that can be revoked, in bytes: a token has no longer one.
pub const REVOKED_BYTES: usize = 8 * 1024;
/// Attempts at one job before it is `failed`.
pub const JOB_ATTEMPTS: u32 = 5;
/// How long the relay goes on for who uses it after the server was told to stop; shorter than [`DRAIN`].
pub const RELAY_DRAIN: Duration = Duration::from_secs(6);
/// How long jobs under way may go on after the server was told to stop; shorter than [`DRAIN`].
pub const JOB_DRAIN: Duration = Duration::from_secs(5);
/// Deliveries to the webhook that are under way at a time.
pub const DELIVERIES: usize = 16;
/// How long the webhook may take, from the connection to the head of its answer.
pub const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long another program's lock on the database is waited for (503 beyond).
pub const DATABASE_WAIT: Duration = Duration::from_secs(5);
