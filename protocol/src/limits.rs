//! Every bound of the protocol and of the server, once. Each is documented in `docs/PROTOCOL.md` or
//! `docs/OPERATIONS.md` with the answer that a client gets beyond it.

use std::time::Duration;

/// Longest WebSocket message, in bytes. Beyond it the connection ends with close code 1009.
pub const MESSAGE_BYTES: usize = 64 * 1024;
/// Bytes that a client may spend on the frames of one message: a message in countless tiny fragments ends with 1008.
pub const MESSAGE_WIRE_BYTES: usize = 2 * MESSAGE_BYTES;
/// How long the fragments of one message may take to arrive.
pub const MESSAGE_ASSEMBLY: Duration = Duration::from_secs(10);
/// Deepest nesting of arrays and objects in a message: one level less than what common JSON readers stop at,
/// with room for the envelope that the server puts around it.
pub const JSON_DEPTH: usize = 100;
/// Longest peer id or room name, in Unicode scalar values after NFC.
pub const NAME_CHARS: usize = 64;
/// Combining marks on one character of a name: more than that is no language (UTS #39, section 5.4).
pub const NAME_MARKS: usize = 4;
/// Longest `id` that a client may give a message to have it acknowledged, in bytes.
pub const MESSAGE_ID_BYTES: usize = 128;

/// Peers in one room. The next one gets close code 4423.
pub const ROOM_PEERS: usize = 256;
/// Messages waiting for one client; one more and it is closed as too slow (4008).
pub const OUTBOX_MESSAGES: usize = 256;
/// Bytes waiting for one client; beyond it it is closed as too slow (4008).
pub const OUTBOX_BYTES: usize = 1024 * 1024;
/// How long writing what waits for a client may take before it is closed as too slow.
pub const WRITE_STALL: Duration = Duration::from_secs(10);
/// How long the server waits for its own close frame to leave.
pub const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// Every so often the server pings a silent client.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(25);
/// A client that lets a ping go unanswered for this long is gone (4408).
pub const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages a second that one connection may send before it is read more slowly (the default of `--message-rate`).
pub const MESSAGE_RATE: u32 = 2_000;
/// Messages that may come at once above that rate.
pub const MESSAGE_BURST: u32 = 250;
/// A connection that is throttled for this long on end is closed with 4029.
pub const THROTTLE_LIMIT: Duration = Duration::from_secs(10);
/// How long a client that is ahead of its rate is not read at a time.
pub const THROTTLE_PAUSE: Duration = Duration::from_millis(20);
/// Messages that are read from one client before what waits for it is written.
pub const READS_IN_A_ROW: usize = 32;
/// Messages in error that a connection may send at once, and how many it regains each second; beyond: 1008.
pub const ERROR_BURST: u32 = 100;
/// See [`ERROR_BURST`].
pub const ERROR_RATE: u32 = 10;

/// Open connections, HTTP and WebSocket together (the default of `--max-connections`).
pub const CONNECTIONS: usize = 16_000;
/// How long a client may take to send a request's headers.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to send a request's body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long requests under way may go on after the server was told to stop.
pub const DRAIN: Duration = Duration::from_secs(7);

/// Largest HTTP request body, in bytes (413 beyond).
pub const BODY_BYTES: u64 = 1024 * 1024;
/// Longest title of an item, in Unicode scalar values.
pub const TITLE_CHARS: usize = 200;
/// Longest description of an item, in Unicode scalar values.
pub const DESCRIPTION_CHARS: usize = 10_000;
/// Longest text to search for, in Unicode scalar values.
pub const QUERY_CHARS: usize = 200;
/// Items or ids in one bulk request.
pub const BULK_ITEMS: usize = 1_000;
/// Items in one page of a list.
pub const LIST_ITEMS: u64 = 1_000;
/// Items in one page of a list when the client names no number.
pub const LIST_DEFAULT: u64 = 100;
/// Changes kept for clients that come back to the live events.
pub const EVENT_HISTORY: usize = 1_000;
/// How long an `Idempotency-Key` is remembered.
pub const IDEMPOTENCY_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 255;
/// Attempts at one job before it is `failed`.
pub const JOB_ATTEMPTS: u32 = 5;
