//! What this side writes to a stream: kept until the other side's program has it.

use std::collections::VecDeque;

use super::{
    bytes::Bytes,
    frame::{Frame, StreamState},
    io::{Breach, Output, StreamId, WriteError},
    limits::{PIECE_BYTES, STREAM_WINDOW, UNKNOWN_MS, WRITE_BYTES},
};

/// How the writing ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Open,
    Finished,
    Reset {
        code: u64,
        reason: String,
    },
    /// The other side has done with it.
    Done,
}

#[derive(Debug)]
pub(super) struct Sending {
    stream: StreamId,
    /// What was written and not acknowledged.
    waiting: Bytes,
    acknowledged: u64,
    /// Where this connection goes on.
    next: u64,
    /// How far any connection has come.
    sent: u64,
    limit: u64,
    end: End,
    /// The end has to be sent on this connection.
    end_due: bool,
    /// An end was sent on some connection.
    end_sent: bool,
    /// The ends of writes, and when they were made, as long as nothing is said about them.
    writes: VecDeque<(u64, u64)>,
    /// A write was refused, and the program not told since that there is room.
    refused: bool,
}

impl Sending {
    pub(super) fn new(stream: StreamId) -> Self {
        Self {
            stream,
            waiting: Bytes::default(),
            acknowledged: 0,
            next: 0,
            sent: 0,
            limit: STREAM_WINDOW,
            end: End::Open,
            end_due: false,
            end_sent: false,
            writes: VecDeque::new(),
            refused: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.end == End::Done
    }

    /// Bytes that are held.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    fn written(&self) -> u64 {
        self.acknowledged + self.waiting()
    }

    fn room(&self, shared_room: bool) -> bool {
        let waiting = self.waiting();
        waiting < STREAM_WINDOW || (shared_room && waiting < self.limit - self.acknowledged)
    }

    /// Takes a write as a whole. It ends at the position that it gives.
    pub(super) fn write(&mut self, now: u64, bytes: &[u8], shared_room: bool) -> Result<u64, WriteError> {
        if self.end != End::Open {
            return Err(WriteError::Ended);
        }
        if bytes.len() > WRITE_BYTES {
            return Err(WriteError::TooLong);
        }
        if !self.room(shared_room) {
            self.refused = true;
            return Err(WriteError::Full);
        }
        self.waiting.push(bytes);
        let end = self.written();
        if bytes.is_empty() {
            return Ok(end);
        }
        match self.writes.back_mut() {
            Some((last, at)) if *at == now => *last = end,
            _ => self.writes.push_back((end, now)),
        }
        Ok(end)
    }

    /// A write was refused, and there is room now.
    pub(super) fn has_room_again(&mut self, shared_room: bool) -> bool {
        let again = self.refused && self.end == End::Open && self.room(shared_room);
        self.refused &= !again;
        again
    }

    /// No more is written. Whether that is new.
    pub(super) fn finish(&mut self) -> bool {
        let open = self.end == End::Open;
        if open {
            (self.end, self.end_due) = (End::Finished, true);
        }
        open
    }

    /// What was written is given up. Whether that is new.
    pub(super) fn reset(&mut self, code: u64, reason: &str) -> bool {
        let live = matches!(self.end, End::Open | End::Finished);
        if live {
            (self.end, self.end_due) = (End::Reset { code, reason: reason.to_owned() }, true);
            self.drop_waiting();
        }
        live
    }

    fn drop_waiting(&mut self) {
        self.waiting = Bytes::default();
        self.writes.clear();
    }

    /// The other side's program has read up to `taken`, and `limit` may be sent.
    pub(super) fn taken(&mut self, taken: u64, limit: u64) -> Result<Option<Output>, Breach> {
        if taken < self.acknowledged || taken > self.sent || limit < self.limit || limit < taken {
            return Err(Breach::out_of_place("what was taken was not sent"));
        }
        self.limit = limit;
        if !matches!(self.end, End::Open | End::Finished) || taken == self.acknowledged {
            return Ok(None);
        }
        let count = usize::try_from(taken - self.acknowledged).unwrap_or(usize::MAX);
        self.waiting.skip(count);
        self.acknowledged = taken;
        while self.writes.front().is_some_and(|(end, _)| *end <= taken) {
            self.writes.pop_front();
        }
        Ok(Some(Output::Acknowledged { stream: self.stream, position: taken }))
    }

    /// The other side has done with it.
    pub(super) fn done(&mut self, outputs: &mut VecDeque<Output>) -> Result<(), Breach> {
        if !self.end_sent {
            return Err(Breach::out_of_place("done with a stream that goes on"));
        }
        if self.end == End::Finished {
            outputs.extend(self.taken(self.written(), self.limit.max(self.written()))?);
            outputs.push_back(Output::Finished { stream: self.stream });
        }
        self.end = End::Done;
        self.end_due = false;
        self.drop_waiting();
        Ok(())
    }

    /// A connection begins, and the other side has this of it.
    pub(super) fn resume(&mut self, state: &StreamState, outputs: &mut VecDeque<Output>) -> Result<(), Breach> {
        if self.is_done() {
            return if state.done { Ok(()) } else { Err(Breach::out_of_place("a stream is no longer done with")) };
        }
        if state.done {
            return self.done(outputs);
        }
        if state.received > self.sent || state.received < state.taken || (state.finished && !self.end_sent) {
            return Err(Breach::out_of_place("what was received was not sent"));
        }
        outputs.extend(self.taken(state.taken, state.limit)?);
        self.next = state.received;
        self.end_due = match self.end {
            End::Finished => !state.finished,
            End::Reset { .. } => true,
            End::Open | End::Done => false,
        };
        Ok(())
    }

    /// A connection begins, and the other side has nothing of it.
    pub(super) fn begin(&mut self) -> Result<(), Breach> {
        if self.acknowledged > 0 || self.is_done() {
            return Err(Breach::out_of_place("a stream was forgotten before its end"));
        }
        self.next = 0;
        self.end_due = self.end != End::Open;
        Ok(())
    }

    /// There is something to send on this connection.
    pub(super) fn is_due(&self) -> bool {
        self.end_due && !(self.end == End::Finished && self.next < self.written()) || self.piece() > 0
    }

    fn piece(&self) -> usize {
        if !matches!(self.end, End::Open | End::Finished) {
            return 0;
        }
        let end = self.written().min(self.limit);
        usize::try_from(end.saturating_sub(self.next)).unwrap_or(usize::MAX).min(PIECE_BYTES)
    }

    /// Writes the next frames of it; whether there was data.
    pub(super) fn put(&mut self, out: &mut Vec<u8>) -> bool {
        let count = self.piece();
        if count > 0 {
            let begin = usize::try_from(self.next - self.acknowledged).unwrap_or(usize::MAX);
            let bytes = self.waiting.copy(begin, count);
            Frame::Data { stream: self.stream, position: self.next, bytes: &bytes }.put(out);
            self.next += count as u64;
            self.sent = self.sent.max(self.next);
        }
        let all = self.next == self.written();
        match &self.end {
            End::Finished if self.end_due && all => Frame::Finish { stream: self.stream }.put(out),
            End::Reset { code, reason } if self.end_due => {
                Frame::Reset { stream: self.stream, code: *code, reason }.put(out);
            }
            _ => return count > 0,
        }
        (self.end_due, self.end_sent) = (false, true);
        count > 0
    }

    /// When a write becomes unknown.
    pub(super) fn timeout(&self) -> Option<u64> {
        self.writes.front().map(|(_, at)| at + UNKNOWN_MS)
    }

    /// What is unknown by now.
    pub(super) fn unknown(&mut self, now: u64) -> Option<Output> {
        let mut position = None;
        while self.timeout().is_some_and(|at| at <= now) {
            position = self.writes.pop_front().map(|(end, _)| end);
        }
        position.map(|position| Output::Unknown { stream: self.stream, position })
    }
}
