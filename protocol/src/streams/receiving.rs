//! What the other side writes to a stream: kept until this side's program reads it.

use super::{
    bytes::Bytes,
    frame::{Frame, StreamState},
    io::{Breach, Read, StreamId},
    limits::{STREAM_WINDOW, STREAM_WINDOW_MAX, WINDOW_MS},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// No more comes, but the program has not read all.
    Finished,
    /// The program has read it to its end, or it was reset.
    Done,
}

#[derive(Debug)]
pub(super) struct Receiving {
    stream: StreamId,
    unread: Bytes,
    received: u64,
    taken: u64,
    limit: u64,
    /// What of it the other side was told.
    said_limit: u64,
    window: u64,
    /// When the limit was last moved.
    granted: Option<u64>,
    end: End,
    /// The program wants no more of it.
    stopped: Option<(u64, String)>,
    stop_due: bool,
    taken_due: bool,
    done_due: bool,
    /// The program was told that there is something, and has not seen that there is nothing.
    told: bool,
}

impl Receiving {
    pub(super) fn new(stream: StreamId) -> Self {
        Self {
            stream,
            unread: Bytes::default(),
            received: 0,
            taken: 0,
            limit: STREAM_WINDOW,
            said_limit: STREAM_WINDOW,
            window: STREAM_WINDOW,
            granted: None,
            end: End::Open,
            stopped: None,
            stop_due: false,
            taken_due: false,
            done_due: false,
            told: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.end == End::Done
    }

    /// The other side may know that it is done with.
    pub(super) fn is_done_and_said(&self) -> bool {
        self.is_done() && !self.done_due
    }

    /// Bytes that are held.
    pub(super) fn unread(&self) -> u64 {
        self.unread.len() as u64
    }

    /// What it has of the window that all streams share.
    pub(super) fn shared_window(&self) -> u64 {
        self.window - STREAM_WINDOW
    }

    /// Takes the next bytes.
    pub(super) fn data(&mut self, position: u64, bytes: &[u8]) -> Result<(), Breach> {
        if self.end != End::Open || position != self.received {
            return Err(Breach::out_of_place("a piece is not the next one"));
        }
        self.received += bytes.len() as u64;
        if self.received > self.limit {
            return Err(Breach::beyond("more was sent than may be"));
        }
        if self.stopped.is_none() {
            self.unread.push(bytes);
        }
        Ok(())
    }

    /// No more comes.
    pub(super) fn finish(&mut self) -> Result<(), Breach> {
        if self.end != End::Open {
            return Err(Breach::out_of_place("a stream ends twice"));
        }
        self.end = End::Finished;
        Ok(())
    }

    /// What has come is void. Whether the program does not know that yet.
    pub(super) fn reset(&mut self) -> bool {
        if self.is_done() {
            return false;
        }
        self.leave();
        self.stopped.is_none()
    }

    fn leave(&mut self) {
        (self.end, self.done_due) = (End::Done, true);
        (self.stop_due, self.taken_due) = (false, false);
        self.unread = Bytes::default();
        self.window = STREAM_WINDOW;
    }

    /// The program wants no more: it ends with the reset that the other side answers. Whether that is new.
    pub(super) fn stop(&mut self, code: u64, reason: &str) -> bool {
        if self.is_done() || self.stopped.is_some() {
            return false;
        }
        self.stopped = Some((code, reason.to_owned()));
        self.unread = Bytes::default();
        (self.stop_due, self.taken_due) = (true, false);
        true
    }

    /// There is something that the program was not told of.
    pub(super) fn is_news(&mut self) -> bool {
        let something = self.stopped.is_none() && (!self.unread.is_empty() || self.end == End::Finished);
        let news = something && !self.told;
        self.told |= news;
        news
    }

    /// Gives up to `most` bytes. `spare` is what is left of the window that all streams share.
    pub(super) fn read(&mut self, now: u64, most: usize, spare: u64) -> Option<Read> {
        if self.stopped.is_some() || self.is_done() {
            return None;
        }
        if self.unread.is_empty() {
            self.told = false;
            if self.end == End::Open {
                return None;
            }
            self.leave();
            return Some(Read::End);
        }
        let count = most.min(self.unread.len());
        let bytes = self.unread.take(count);
        self.taken += count as u64;
        self.taken_due = true;
        self.told = !self.unread.is_empty() || self.end != End::Open;
        if self.limit - self.taken <= self.window / 2 {
            self.grant(now, spare);
        }
        Some(Read::Bytes(bytes))
    }

    /// Moves the limit. A window that the program reads in a short time grows, so that in the end it holds about two seconds.
    fn grant(&mut self, now: u64, spare: u64) {
        if self.granted.is_some_and(|granted| now < granted + WINDOW_MS) {
            self.window += self.window.min(spare / 2).min(STREAM_WINDOW_MAX - self.window);
        }
        self.granted = Some(now);
        self.limit = self.taken + self.window;
    }

    /// What it has. Once that is sent, nothing of it need be said again.
    pub(super) fn say(&mut self) -> StreamState {
        (self.taken_due, self.done_due, self.said_limit) = (false, false, self.limit);
        StreamState {
            stream: self.stream,
            received: self.received,
            taken: self.taken,
            limit: self.limit,
            finished: self.end != End::Open,
            done: self.is_done(),
        }
    }

    /// A connection begins.
    pub(super) fn resume(&mut self) {
        self.stop_due = self.stopped.is_some() && !self.is_done();
    }

    /// There is something to send.
    pub(super) fn is_due(&self) -> bool {
        self.stop_due || self.taken_due || self.done_due
    }

    /// There is something that should not wait: the other side may send no more before it knows.
    pub(super) fn is_urgent(&self) -> bool {
        let nearly_full = self.said_limit - self.received < self.window / 4;
        self.stop_due || self.done_due || (self.taken_due && self.limit > self.said_limit && nearly_full)
    }

    /// Writes what there is to say.
    pub(super) fn put(&mut self, out: &mut Vec<u8>) {
        let stream = self.stream;
        if let Some((code, reason)) = self.stopped.as_ref().filter(|_| self.stop_due) {
            Frame::Stop { stream, code: *code, reason }.put(out);
        }
        if self.done_due {
            Frame::Done { stream }.put(out);
        } else if self.taken_due {
            Frame::Taken { stream, taken: self.taken, limit: self.limit }.put(out);
            self.said_limit = self.limit;
        }
        (self.stop_due, self.taken_due, self.done_due) = (false, false, false);
    }
}
