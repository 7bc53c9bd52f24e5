//! One stream: what goes, what comes, and what the other side has to be told.

use std::collections::VecDeque;

use super::{
    frame::{Frame, StreamState},
    io::{Breach, Output, StreamId},
    receiving::Receiving,
    sending::Sending,
};

#[derive(Debug)]
pub(super) struct Stream {
    id: StreamId,
    /// Of one that this side has opened.
    label: String,
    /// The other side has to be told that there is one.
    open_due: bool,
    /// It stands in the queue of those that have something to send.
    pub(super) queued: bool,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
}

impl Stream {
    pub(super) fn new(id: StreamId, label: String) -> Self {
        let (sending, receiving) = (Sending::new(id), Receiving::new(id));
        Self { id, label, open_due: id.is_own(), queued: false, sending, receiving }
    }

    /// Nothing of it is left to say.
    pub(super) fn is_over(&self) -> bool {
        self.sending.is_done() && self.receiving.is_done_and_said()
    }

    pub(super) fn is_due(&self) -> bool {
        self.open_due || self.receiving.is_due() || self.sending.is_due()
    }

    /// It has something to say beside how much was taken.
    pub(super) fn has_more_than_taken(&self) -> bool {
        self.open_due || self.sending.is_due() || self.receiving.is_urgent()
    }

    /// Writes its next frames; whether there was data.
    pub(super) fn put(&mut self, out: &mut Vec<u8>) -> bool {
        if self.open_due {
            Frame::Open { stream: self.id, label: &self.label }.put(out);
            self.open_due = false;
        }
        self.receiving.put(out);
        self.sending.put(out)
    }

    /// A connection begins, and the other side has this of it.
    pub(super) fn resume(&mut self, state: &StreamState, outputs: &mut VecDeque<Output>) -> Result<(), Breach> {
        self.open_due = false;
        self.receiving.resume();
        self.sending.resume(state, outputs)
    }

    /// A connection begins, and the other side has never heard of it.
    pub(super) fn begin(&mut self) -> Result<(), Breach> {
        self.open_due = true;
        self.receiving.resume();
        self.sending.begin()
    }

    /// A connection begins, and the other side has forgotten it: nothing is left to say there.
    pub(super) fn forgotten(&mut self, outputs: &mut VecDeque<Output>) -> Result<(), Breach> {
        if !self.receiving.is_done() {
            return Err(Breach::out_of_place("a stream was forgotten before its end"));
        }
        if self.sending.is_done() { Ok(()) } else { self.sending.done(outputs) }
    }
}
