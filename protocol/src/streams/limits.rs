//! Every number of the streams, once.

/// The version of the frames, which both sides have to announce.
pub const VERSION: u8 = 1;
/// Streams that one side may have open: those that it has opened and that have not ended on both sides.
pub const STREAMS: usize = 128;
/// The most bytes of one stream that go at a time, before it is another one's turn.
pub const PIECE_BYTES: usize = 16 * 1024;
/// Longest message of a connection.
pub const FRAMES_BYTES: usize = 32 * 1024;
/// So many bytes of frames without data go together.
pub const SMALL_BYTES: usize = 1024;
/// Longest label of a stream.
pub const LABEL_BYTES: usize = 64;
/// Longest reason.
pub const REASON_BYTES: usize = 256;
/// Longest message in a stream of messages.
pub const MESSAGE_BYTES: usize = 256 * 1024;
/// Longest write: such a message, and what says how long it is.
pub const WRITE_BYTES: usize = MESSAGE_BYTES + 8;
/// What each stream may have under way and unread, for sure.
pub const STREAM_WINDOW: u64 = 64 * 1024;
/// What it may have at most.
pub const STREAM_WINDOW_MAX: u64 = 8 * 1024 * 1024;
/// What all streams together may have beyond what each has for sure.
pub const SHARED_WINDOW: u64 = 16 * 1024 * 1024;
/// A window that is half read within this time grows.
pub const WINDOW_MS: u64 = 1_000;
/// What all streams together may have waiting for the other side before a write has to wait.
pub const WAITING_BYTES: u64 = 16 * 1024 * 1024;
/// After this time it is not known whether the other side's program has what was written.
pub const UNKNOWN_MS: u64 = 120_000;
/// Longest datagram.
pub const DATAGRAM_BYTES: usize = 16 * 1024;
/// Datagrams that wait, each way. One more, and the oldest is lost.
pub const DATAGRAMS: usize = 64;
