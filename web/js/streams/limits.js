/** Every number of the streams, as in `protocol/src/streams/limits.rs`, where the reasons stand. */

export const VERSION = 1;
export const STREAMS = 128;
export const PIECE_BYTES = 16 * 1024;
export const FRAMES_BYTES = 32 * 1024;
export const SMALL_BYTES = 1024;
export const LABEL_BYTES = 64;
export const REASON_BYTES = 256;
export const MESSAGE_BYTES = 256 * 1024;
export const WRITE_BYTES = MESSAGE_BYTES + 8;
export const STREAM_WINDOW = 64 * 1024;
export const STREAM_WINDOW_MAX = 8 * 1024 * 1024;
export const SHARED_WINDOW = 16 * 1024 * 1024;
export const WINDOW_MS = 1_000;
export const WAITING_BYTES = 16 * 1024 * 1024;
export const UNKNOWN_MS = 120_000;
export const DATAGRAM_BYTES = 16 * 1024;
export const DATAGRAMS = 64;
