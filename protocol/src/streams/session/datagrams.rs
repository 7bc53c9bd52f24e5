//! Datagrams: each belongs to a stream, and none is certain to arrive. They go beside the streams' frames, over a channel of
//! their own that repeats nothing.

use super::Session;
use crate::streams::{
    io::{StreamId, WriteError},
    limits::{DATAGRAM_BYTES, DATAGRAMS},
    wire::{Reader, put},
};

impl Session {
    /// Sends a datagram, as soon as there is a connection that has room. Of many that wait the oldest are lost.
    ///
    /// # Errors
    /// It is too long, or there is no such stream.
    pub fn send_datagram(&mut self, stream: StreamId, bytes: &[u8]) -> Result<(), WriteError> {
        if bytes.len() > DATAGRAM_BYTES {
            return Err(WriteError::TooLong);
        }
        if !self.streams.contains_key(&stream) {
            return Err(WriteError::Ended);
        }
        let mut datagram = Vec::with_capacity(bytes.len() + 8);
        put(&mut datagram, stream.0);
        datagram.extend(bytes);
        push(&mut self.datagrams_out, datagram);
        Ok(())
    }

    /// The next message for the channel of datagrams.
    pub fn poll_datagram(&mut self) -> Option<Vec<u8>> {
        if self.link.hello_received { self.datagrams_out.pop_front() } else { None }
    }

    /// Takes a message of the channel of datagrams. One that is none, or of a stream that is not there, is dropped.
    pub fn receive_datagram(&mut self, message: &[u8]) {
        let mut reader = Reader(message);
        let Ok(number) = reader.number() else { return };
        let stream = StreamId(number).seen_from_there();
        if reader.0.len() <= DATAGRAM_BYTES && self.streams.contains_key(&stream) {
            push(&mut self.datagrams_in, (stream, reader.0.to_vec()));
        }
    }

    /// The next datagram that has come.
    pub fn read_datagram(&mut self) -> Option<(StreamId, Vec<u8>)> {
        self.datagrams_in.pop_front()
    }
}

fn push<T>(queue: &mut std::collections::VecDeque<T>, datagram: T) {
    if queue.len() == DATAGRAMS {
        queue.pop_front();
    }
    queue.push_back(datagram);
}
