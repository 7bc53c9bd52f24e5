//! One side of a pair, and what its program does with streams.

mod datagrams;
mod link;
mod transmit;

use std::collections::VecDeque;

use indexmap::IndexMap;

use super::{
    io::{Held, Output, Read, SessionId, StreamId, WriteError, code},
    limits::{LABEL_BYTES, REASON_BYTES, SHARED_WINDOW, STREAMS, WAITING_BYTES},
    stream::Stream,
    wire::MAX as GREATEST,
};

/// How far the connection is.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    up: bool,
    hello_sent: bool,
    hello_received: bool,
}

/// Why it is over.
#[derive(Debug)]
struct End {
    code: u64,
    reason: String,
    /// The other side has to be told.
    due: bool,
}

/// The machine for one remote peer. Times are milliseconds of any clock that does not go back.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    /// Whom this side talks to.
    other: Option<SessionId>,
    /// It has heard of this side.
    met: bool,
    link: Link,
    /// In the order in which they came to be.
    streams: IndexMap<StreamId, Stream>,
    /// The number of the next stream that this side opens.
    next_own: u64,
    /// The least number that the other side may open.
    next_other: u64,
    /// Those that have something to send, in the order of their turns.
    ready: VecDeque<StreamId>,
    outputs: VecDeque<Output>,
    datagrams_out: VecDeque<Vec<u8>>,
    datagrams_in: VecDeque<(StreamId, Vec<u8>)>,
    end: Option<End>,
}

impl Session {
    /// A session without a connection. The id is random, and not all zeros.
    #[must_use]
    pub fn new(id: SessionId) -> Self {
        Self {
            id,
            other: None,
            met: false,
            link: Link::default(),
            streams: IndexMap::new(),
            next_own: 0,
            next_other: 0,
            ready: VecDeque::new(),
            outputs: VecDeque::new(),
            datagrams_out: VecDeque::new(),
            datagrams_in: VecDeque::new(),
            end: None,
        }
    }

    /// What to tell the program next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether the other side has this side's `hello`: who leaves before may not have been there for it.
    #[must_use]
    pub fn has_met(&self) -> bool {
        self.met
    }

    /// What it holds.
    #[must_use]
    pub fn held(&self) -> Held {
        let streams = self.streams.values();
        let (waiting, unread) = streams.fold((0, 0), |(waiting, unread), stream| {
            (waiting + stream.sending.waiting(), unread + stream.receiving.unread())
        });
        Held { streams: self.streams.len(), waiting, unread }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.streams.values().filter_map(|stream| stream.sending.timeout()).min()
    }

    /// Says which writes have become unknown.
    pub fn handle_timeout(&mut self, now: u64) {
        self.outputs.extend(self.streams.values_mut().filter_map(|stream| stream.sending.unknown(now)));
    }

    /// Opens a stream, which both sides may write to at once. The label says what it is for.
    ///
    /// # Errors
    /// The label is empty or too long, as many streams are open as may, or the session is over.
    pub fn open(&mut self, label: &str) -> Result<StreamId, WriteError> {
        if self.end.is_some() {
            return Err(WriteError::Ended);
        }
        if label.is_empty() || label.len() > LABEL_BYTES {
            return Err(WriteError::TooLong);
        }
        if self.streams.keys().filter(|id| id.is_own()).count() >= STREAMS {
            return Err(WriteError::TooMany);
        }
        let id = StreamId::own(self.next_own);
        self.next_own += 1;
        self.streams.insert(id, Stream::new(id, label.to_owned()));
        self.queue(id);
        Ok(id)
    }

    /// Writes to a stream, all or nothing. The position that it gives is acknowledged when the other side's program has it.
    ///
    /// # Errors
    /// There is no room, it is longer than a write may be, or this side of the stream has ended.
    pub fn write(&mut self, now: u64, stream: StreamId, bytes: &[u8]) -> Result<u64, WriteError> {
        let shared_room = self.shared_room();
        let sending = &mut self.streams.get_mut(&stream).ok_or(WriteError::Ended)?.sending;
        let end = sending.write(now, bytes, shared_room)?;
        self.queue(stream);
        Ok(end)
    }

    /// Writes no more; what was written still arrives. The other side may go on.
    pub fn finish(&mut self, stream: StreamId) {
        if self.streams.get_mut(&stream).is_some_and(|stream| stream.sending.finish()) {
            self.queue(stream);
        }
    }

    /// Gives up what this side writes, with a code (below 2⁵³) and a reason (cut to its bound).
    pub fn reset(&mut self, stream: StreamId, code: u64, reason: &str) {
        if self.streams.get_mut(&stream).is_some_and(|stream| stream.sending.reset(code.min(GREATEST), short(reason))) {
            self.queue(stream);
            self.wake_writers();
        }
    }

    /// Reads no more, and asks the other side to write no more.
    pub fn stop(&mut self, stream: StreamId, code: u64, reason: &str) {
        if self.streams.get_mut(&stream).is_some_and(|stream| stream.receiving.stop(code.min(GREATEST), short(reason)))
        {
            self.queue(stream);
        }
    }

    /// Takes up to `most` bytes that have come, or the end. What is taken counts as had by the program.
    pub fn read(&mut self, now: u64, stream: StreamId, most: usize) -> Option<Read> {
        let shared: u64 = self.streams.values().map(|stream| stream.receiving.shared_window()).sum();
        let read = self.streams.get_mut(&stream)?.receiving.read(now, most, SHARED_WINDOW - shared)?;
        self.queue(stream);
        Some(read)
    }

    /// Ends the session and tells the other side why.
    pub fn close(&mut self, reason: &str) {
        self.end(code::CLOSED, short(reason), true);
    }

    /// Nothing is held for a session that is over.
    fn end(&mut self, code: u64, reason: &str, due: bool) {
        if self.end.is_none() {
            self.end = Some(End { code, reason: reason.to_owned(), due });
            self.outputs.push_back(Output::Ended { code, reason: reason.to_owned() });
            self.forget_all();
        }
    }

    fn forget_all(&mut self) {
        self.streams.clear();
        self.ready.clear();
        self.datagrams_out.clear();
        self.datagrams_in.clear();
    }

    /// All streams together have room for more.
    fn shared_room(&self) -> bool {
        self.streams.values().map(|stream| stream.sending.waiting()).sum::<u64>() < WAITING_BYTES
    }

    /// Tells those that had no room that they have it.
    fn wake_writers(&mut self) {
        let shared_room = self.shared_room();
        for (id, stream) in &mut self.streams {
            if stream.sending.has_room_again(shared_room) {
                self.outputs.push_back(Output::Writable { stream: *id });
            }
        }
    }

    /// Gives a stream its turn, if it has something to send; drops it, if it never will.
    fn queue(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.is_over() {
            self.streams.shift_remove(&id);
        } else if stream.is_due() && !stream.queued {
            stream.queued = true;
            self.ready.push_back(id);
        }
    }
}

/// So much of a reason as may be sent.
fn short(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(REASON_BYTES)]
}
