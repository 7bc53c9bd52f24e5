//! What comes over connections, and their coming and going.

use super::{Link, Session};
use crate::streams::{
    frame::{Frame, Frames, Hello},
    io::{Breach, Output, StreamId, code},
    limits::STREAMS,
    stream::Stream,
};

impl Session {
    /// There is a new connection in place of the last one, of which nothing may come any more.
    pub fn connected(&mut self) {
        self.link = Link { up: true, ..Link::default() };
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.link = Link::default();
    }

    /// Takes a message of the connection. One that breaks a rule ends the session.
    pub fn receive(&mut self, message: &[u8]) {
        if self.end.is_some() || !self.link.up {
            return;
        }
        if let Err(breach) = self.frames(message) {
            self.end(breach.code, breach.reason, true);
        }
        self.wake_writers();
    }

    fn frames(&mut self, message: &[u8]) -> Result<(), Breach> {
        for frame in Frames::of(message)? {
            match frame? {
                Frame::End { code, reason } => {
                    self.end(code, reason, false);
                    return Ok(());
                }
                Frame::Hello(hello) => self.hello_came(&hello)?,
                _ if !self.link.hello_received => return Err(Breach::out_of_place("a frame before the hello")),
                frame => {
                    self.met = true;
                    self.of_stream(&frame)?;
                }
            }
        }
        Ok(())
    }

    fn hello_came(&mut self, hello: &Hello) -> Result<(), Breach> {
        if self.link.hello_received {
            return Err(Breach::out_of_place("a second hello"));
        }
        if hello.session == self.id || hello.session == [0; 8] {
            return Err(Breach::out_of_place("a session that can't be"));
        }
        let knows = hello.known == self.id;
        let another = self.other.is_some_and(|other| other != hello.session);
        let restarted = another || (self.met && !knows);
        if restarted {
            self.restarted();
        }
        (self.other, self.met) = (Some(hello.session), knows);
        self.link.hello_received = true;
        self.ready.clear();
        let known = |id: StreamId| hello.streams.iter().find(|state| state.stream == id.seen_from_there());
        for (id, stream) in &mut self.streams {
            stream.queued = false;
            match known(*id).filter(|_| knows) {
                Some(state) => stream.resume(state, &mut self.outputs)?,
                None if id.is_own() && !(knows && id.number() < hello.next) => stream.begin()?,
                None if knows => stream.forgotten(&mut self.outputs)?,
                None => return Err(Breach::out_of_place("a stream was forgotten before its end")),
            }
        }
        self.outputs.push_back(Output::Linked { restarted });
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            self.queue(id);
        }
        Ok(())
    }

    /// The other side knows nothing of what was.
    fn restarted(&mut self) {
        let reason = "the other side was restarted";
        self.outputs.extend(self.streams.keys().map(|stream| Output::Reset {
            stream: *stream,
            code: code::RESTARTED,
            reason: reason.to_owned(),
        }));
        self.forget_all();
        self.next_other = 0;
    }

    fn of_stream(&mut self, frame: &Frame<'_>) -> Result<(), Breach> {
        match *frame {
            Frame::Open { stream, label } => self.opened(stream.seen_from_there(), label),
            Frame::Data { stream, position, bytes } => {
                self.there(stream)?.receiving.data(position, bytes)?;
                self.news(stream)
            }
            Frame::Finish { stream } => {
                self.there(stream)?.receiving.finish()?;
                self.news(stream)
            }
            Frame::Reset { stream, code, reason } => self.reset_came(stream.seen_from_there(), code, reason),
            Frame::Stop { stream, code, reason } => self.stop_came(stream.seen_from_there(), code, reason),
            Frame::Taken { stream, taken, limit } => {
                let output = self.there(stream)?.sending.taken(taken, limit)?;
                self.outputs.extend(output);
                self.news(stream)
            }
            Frame::Done { stream } => {
                let id = stream.seen_from_there();
                let here = self.streams.get_mut(&id).ok_or(NOT_THERE)?;
                here.sending.done(&mut self.outputs)?;
                self.news(stream)
            }
            Frame::Hello(_) | Frame::End { .. } => Ok(()),
        }
    }

    fn opened(&mut self, id: StreamId, label: &str) -> Result<(), Breach> {
        if id.is_own() || id.number() < self.next_other || label.is_empty() {
            return Err(Breach::out_of_place("a stream that can't be opened"));
        }
        if self.streams.keys().filter(|id| !id.is_own()).count() >= STREAMS {
            return Err(Breach::beyond("too many streams"));
        }
        self.next_other = id.number() + 1;
        self.streams.insert(id, Stream::new(id, String::new()));
        self.outputs.push_back(Output::Opened { stream: id, label: label.to_owned() });
        Ok(())
    }

    fn reset_came(&mut self, id: StreamId, code: u64, reason: &str) -> Result<(), Breach> {
        let Some(stream) = self.streams.get_mut(&id) else { return self.was(id) };
        if stream.receiving.reset() {
            self.outputs.push_back(Output::Reset { stream: id, code, reason: reason.to_owned() });
        }
        self.queue(id);
        Ok(())
    }

    fn stop_came(&mut self, id: StreamId, code: u64, reason: &str) -> Result<(), Breach> {
        let Some(stream) = self.streams.get_mut(&id) else { return self.was(id) };
        if stream.sending.reset(code, reason) {
            self.outputs.push_back(Output::Stopped { stream: id, code, reason: reason.to_owned() });
        }
        self.queue(id);
        Ok(())
    }

    /// The stream that the other side names.
    fn there(&mut self, stream: StreamId) -> Result<&mut Stream, Breach> {
        self.streams.get_mut(&stream.seen_from_there()).ok_or(NOT_THERE)
    }

    /// A stream that was there once: what crossed its end means nothing.
    fn was(&self, id: StreamId) -> Result<(), Breach> {
        let next = if id.is_own() { self.next_own } else { self.next_other };
        if id.number() < next { Ok(()) } else { Err(NOT_THERE) }
    }

    /// Says what is new in it, and gives it its turn.
    fn news(&mut self, stream: StreamId) -> Result<(), Breach> {
        let id = stream.seen_from_there();
        if self.there(stream)?.receiving.is_news() {
            self.outputs.push_back(Output::Readable { stream: id });
        }
        self.queue(id);
        Ok(())
    }
}

const NOT_THERE: Breach = Breach::out_of_place("a frame of no known stream");
