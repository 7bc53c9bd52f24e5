//! Every bound of the protocol, once: what a client of the WebSocket meets. Each is documented in `docs/PROTOCOL.md` with
//! the answer that the client gets beyond it.

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

/// Peers in one room (the default of `--max-room-peers`). The next one gets close code 4423.
pub const ROOM_PEERS: u32 = 1_000;
/// Bytes waiting for one client, [`OUTBOX_FRAME_BYTES`] more for each frame; beyond it it is closed as too slow (4008).
pub const OUTBOX_BYTES: usize = 1024 * 1024;
/// What it takes to keep a frame, beside its text.
pub const OUTBOX_FRAME_BYTES: usize = 64;
/// How long writing what waits for a client may take before it is closed as too slow.
pub const WRITE_STALL: Duration = Duration::from_secs(10);
/// How long the server waits for its own close frame to leave.
pub const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// A server that stops asks its clients to come back at random times within so long: its close frame (1012) has the reason
/// `retry in N ms`.
pub const RETRY_SPREAD: Duration = Duration::from_secs(5);

/// How long a client that asked for it may be away (the default of `--resume-grace`).
pub const RESUME_GRACE: Duration = Duration::from_secs(120);
/// Frames kept for each client that may come back; who missed more begins anew.
pub const RESUME_FRAMES: usize = 1_000;
/// Bytes kept for each client that may come back; who missed more begins anew.
pub const RESUME_BYTES: usize = 1024 * 1024;
/// Message `id`s remembered of each client that may come back: who sends one of them again is acknowledged, no more.
pub const RESUME_IDS: usize = 300;
/// Clients of one server that may be away at a time. Who loses its connection then has left.
pub const AWAY_PEERS: usize = 16_000;
/// Bytes of all that a server keeps for clients that may come back or come later; a frame that many keep counts once. (A quarter
/// of what the process may still take when it starts, if that is less.)
pub const KEPT_BYTES: usize = 256 * 1024 * 1024;
/// No client and no room keeps more bytes than this part of what is left of [`KEPT_BYTES`].
pub const KEPT_SHARE: usize = 16;
/// Broadcasts that a room keeps for those who come later, and as many as one may ask for.
pub const HISTORY: usize = 300;
/// Bytes of the broadcasts that a room keeps: beyond it the oldest are let go.
pub const HISTORY_BYTES: usize = 1024 * 1024;
/// Longest `metadata` of a client, in bytes.
pub const METADATA_BYTES: usize = 4 * 1024;
/// Bytes of the `metadata` of everybody in a room: who would go beyond it gets an `error`.
pub const ROOM_METADATA_BYTES: usize = 96 * 1024;

/// Every so often the server pings a silent client.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(25);
/// A client that lets a ping go unanswered for this long is gone (4408).
pub const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages a second that one connection may send before it is read more slowly (the default of `--message-rate`).
pub const MESSAGE_RATE: u32 = 2_000;
/// Messages that may come at once above that rate; of another rate as many more or fewer.
pub const MESSAGE_BURST: u32 = 250;
/// A connection that is throttled for this long on end is closed with 4029.
pub const THROTTLE_LIMIT: Duration = Duration::from_secs(10);
/// How long a client that is ahead of its rate is not read at a time.
pub const THROTTLE_PAUSE: Duration = Duration::from_millis(20);
/// Messages that are read from one client before what waits for it is written, and others have their turn.
pub const READS_IN_A_ROW: usize = 32;
/// Messages in error that a connection may send at once, and how many it regains each second; beyond: 1008.
pub const ERROR_BURST: u32 = 100;
/// See [`ERROR_BURST`].
pub const ERROR_RATE: u32 = 10;
