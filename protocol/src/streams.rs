//! Streams between two peers, above connections that come and go: what is written arrives once and in order, however often
//! the connection is replaced, and the writer learns what the other side's program has. Pure: no clock, no randomness, no
//! I/O. `docs/PROTOCOL.md` describes it, `web/js/streams.js` is the same, and the golden traces under `fixtures/streams`
//! hold both together.
//!
//! A [`Session`] is one side of a pair for as long as its process lives. The program opens streams, writes and reads; each
//! new connection is told to it ([`Session::connected`]), what comes over it goes into [`Session::receive`], and whenever
//! the connection takes another message, [`Session::poll_transmit`] has it. What to tell the program comes out of
//! [`Session::poll_output`]; [`Session::handle_timeout`] is due at [`Session::poll_timeout`].
//!
//! What lies beneath is reliable and ordered until it ends, and ends without saying what has arrived. So a connection begins
//! with a `hello` of each side, which says what it has of each stream; then each goes on after that. Nothing is sent twice
//! on one connection, and whatever is not the next byte is a breach.
//!
//! # How much is held
//! A receiver grants each stream a window, 64 KiB for sure and more out of what all streams share, as far as the
//! program reads that fast; a sender takes a write when the stream has less than that waiting. So a stream that nobody
//! reads costs its own window and holds up no other. Streams take turns in pieces of 16 KiB.

mod bytes;
mod frame;
#[cfg(test)]
mod golden;
mod io;
mod limits;
mod message;
#[cfg(test)]
mod property;
mod receiving;
mod sending;
mod session;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

pub use self::{
    frame::{Frame, Frames, Hello, StreamState},
    io::{Breach, Held, Output, Read, SessionId, StreamId, Wants, WriteError, code},
    limits::*,
    message::{Content, Messages, NotAMessage, framed},
    session::Session,
};
