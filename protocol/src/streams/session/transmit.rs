//! What goes over the connection, made when the connection takes it: so streams take turns.

use super::{Link, Session};
use crate::streams::{
    frame::{Frame, Hello},
    io::Wants,
    limits::SMALL_BYTES,
    stream::Stream,
};

impl Session {
    /// What [`Self::poll_transmit`] has now.
    #[must_use]
    pub fn wants(&self) -> Wants {
        let Link { up, hello_sent, hello_received } = self.link;
        if let Some(end) = &self.end {
            return if up && end.due { Wants::Data } else { Wants::Nothing };
        }
        if !up || (hello_sent && !hello_received) {
            return Wants::Nothing;
        }
        let ready = self.ready.iter().filter_map(|id| self.streams.get(id));
        match ready.map(Stream::has_more_than_taken).max() {
            _ if !hello_sent => Wants::Data,
            Some(true) => Wants::Data,
            Some(false) => Wants::Acknowledgements,
            None => Wants::Nothing,
        }
    }

    /// The next message for the connection. Ask when the connection takes one.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if !self.link.up {
            return None;
        }
        if let Some(end) = &mut self.end {
            let due = std::mem::take(&mut end.due);
            return due.then(|| framed(&Frame::End { code: end.code, reason: &end.reason }));
        }
        if !self.link.hello_sent {
            return Some(self.hello());
        }
        if self.link.hello_received { self.turns() } else { None }
    }

    /// Who this is, and what it has of each stream.
    fn hello(&mut self) -> Vec<u8> {
        self.link.hello_sent = true;
        let streams = self.streams.values_mut().map(|stream| stream.receiving.say()).collect();
        let known = self.other.unwrap_or_default();
        framed(&Frame::Hello(Hello { session: self.id, known, next: self.next_other, streams }))
    }

    /// Frames of as many streams as go together, up to the first with data.
    fn turns(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        while let Some(id) = self.ready.pop_front() {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            stream.queued = false;
            let data = stream.put(&mut out);
            self.queue(id);
            if data || out.len() >= SMALL_BYTES {
                break;
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

fn framed(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    frame.put(&mut out);
    out
}
