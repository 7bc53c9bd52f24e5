/**
 * Streams between two peers, above connections that come and go: what is written arrives once and in order, however often
 * the connection is replaced, and the writer learns what the other side's program has. `docs/PROTOCOL.md` describes it;
 * `protocol/src/streams` is the same in Rust, and says how it is used.
 */
export { CODE } from './streams/io.js';
export { Messages, messageBytes } from './streams/message.js';
export { Session } from './streams/session.js';
