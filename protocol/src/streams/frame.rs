//! The frames, as bytes and as values. A message of a connection is one or several of them.

use super::{
    io::{Breach, SessionId, StreamId, code},
    limits::{FRAMES_BYTES, LABEL_BYTES, PIECE_BYTES, REASON_BYTES, STREAMS, VERSION},
    wire::{Reader, put, put_bytes},
};

/// What a frame says. Streams are named as who sends it names them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum Frame<'a> {
    /// The first on each connection.
    Hello(Hello),
    /// There is a new stream.
    Open { stream: StreamId, label: &'a str },
    /// The next bytes of a stream. `position` is how many came before.
    Data { stream: StreamId, position: u64, bytes: &'a [u8] },
    /// No more bytes follow.
    Finish { stream: StreamId },
    /// No more bytes follow, and those not read yet are void.
    Reset { stream: StreamId, code: u64, reason: &'a str },
    /// Please send no more of it.
    Stop { stream: StreamId, code: u64, reason: &'a str },
    /// The program has read up to `taken`; up to `limit` may be sent.
    Taken { stream: StreamId, taken: u64, limit: u64 },
    /// The program has read the stream to its end, or the reset has arrived.
    Done { stream: StreamId },
    /// The session is over.
    End { code: u64, reason: &'a str },
}

/// Who speaks, and what it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Its session.
    pub session: SessionId,
    /// The other side's session, as far as it knows; zeros: it knows of none.
    pub known: SessionId,
    /// The number after that of the last stream that it has seen opened by the other side.
    pub next: u64,
    /// Those that it has not done with.
    pub streams: Vec<StreamState>,
}

/// What a side has of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// The stream.
    pub stream: StreamId,
    /// Bytes that have arrived.
    pub received: u64,
    /// Bytes that the program has read.
    pub taken: u64,
    /// Bytes that may be sent in all.
    pub limit: u64,
    /// The end of it has arrived.
    pub finished: bool,
    /// See [`Frame::Done`].
    pub done: bool,
}

const HELLO: u8 = 1;
const OPEN: u8 = 2;
const DATA: u8 = 3;
const FINISH: u8 = 4;
const RESET: u8 = 5;
const STOP: u8 = 6;
const TAKEN: u8 = 7;
const DONE: u8 = 8;
const END: u8 = 9;

impl Frame<'_> {
    /// Writes the frame after those before it.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => hello.put(out),
            Self::Open { stream, label } => {
                begin(out, OPEN, *stream);
                put_bytes(out, label.as_bytes());
            }
            Self::Data { stream, position, bytes } => {
                begin(out, DATA, *stream);
                put(out, *position);
                put_bytes(out, bytes);
            }
            Self::Finish { stream } => begin(out, FINISH, *stream),
            Self::Reset { stream, code, reason } => {
                begin(out, RESET, *stream);
                put(out, *code);
                put_bytes(out, reason.as_bytes());
            }
            Self::Stop { stream, code, reason } => {
                begin(out, STOP, *stream);
                put(out, *code);
                put_bytes(out, reason.as_bytes());
            }
            Self::Taken { stream, taken, limit } => {
                begin(out, TAKEN, *stream);
                put(out, *taken);
                put(out, *limit);
            }
            Self::Done { stream } => begin(out, DONE, *stream),
            Self::End { code, reason } => {
                out.push(END);
                put(out, *code);
                put_bytes(out, reason.as_bytes());
            }
        }
    }
}

fn begin(out: &mut Vec<u8>, kind: u8, stream: StreamId) {
    out.push(kind);
    put(out, stream.0);
}

impl Hello {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend([HELLO, VERSION]);
        out.extend(self.session);
        out.extend(self.known);
        put(out, self.next);
        put(out, self.streams.len() as u64);
        for state in &self.streams {
            put(out, state.stream.0);
            put(out, state.received);
            put(out, state.taken);
            put(out, state.limit);
            out.push(u8::from(state.finished) | u8::from(state.done) << 1);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Breach> {
        if reader.byte()? != VERSION {
            return Err(Breach { code: code::VERSION, reason: "the version of the streams is another one" });
        }
        let session = session_id(reader)?;
        let known = session_id(reader)?;
        let (next, count) = (reader.number()?, reader.number()?);
        if count > 2 * STREAMS as u64 {
            return Err(Breach::beyond("too many streams"));
        }
        let streams = (0..count).map(|_| StreamState::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { session, known, next, streams })
    }
}

impl StreamState {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Breach> {
        let (stream, received, taken, limit) =
            (StreamId(reader.number()?), reader.number()?, reader.number()?, reader.number()?);
        let flags = reader.byte()?;
        if flags > 3 {
            return Err(Breach::malformed("a flag that is none"));
        }
        Ok(Self { stream, received, taken, limit, finished: flags & 1 != 0, done: flags & 2 != 0 })
    }
}

fn session_id(reader: &mut Reader<'_>) -> Result<SessionId, Breach> {
    let mut id = SessionId::default();
    let bytes = reader.take(id.len())?;
    id.copy_from_slice(bytes);
    Ok(id)
}

/// Reads the frames of a message, one after the other, up to the first that is none.
#[derive(Clone, Debug)]
pub struct Frames<'a>(Reader<'a>);

impl<'a> Frames<'a> {
    /// The frames of this message.
    ///
    /// # Errors
    /// It is longer than a message may be.
    pub fn of(message: &'a [u8]) -> Result<Self, Breach> {
        if message.len() > FRAMES_BYTES {
            return Err(Breach::beyond("a message is too long"));
        }
        Ok(Self(Reader(message)))
    }

    fn read(&mut self) -> Result<Frame<'a>, Breach> {
        let reader = &mut self.0;
        match reader.byte()? {
            HELLO => Ok(Frame::Hello(Hello::read(reader)?)),
            END => Ok(Frame::End { code: reader.number()?, reason: reader.text(REASON_BYTES)? }),
            kind @ OPEN..=DONE => {
                let stream = StreamId(reader.number()?);
                Self::of_stream(kind, stream, reader)
            }
            _ => Err(Breach::malformed("a frame of no known kind")),
        }
    }

    fn of_stream(kind: u8, stream: StreamId, reader: &mut Reader<'a>) -> Result<Frame<'a>, Breach> {
        Ok(match kind {
            OPEN => Frame::Open { stream, label: reader.text(LABEL_BYTES)? },
            DATA => {
                let (position, bytes) = (reader.number()?, reader.bytes()?);
                if bytes.is_empty() || bytes.len() > PIECE_BYTES {
                    return Err(Breach::malformed("a piece of no possible length"));
                }
                Frame::Data { stream, position, bytes }
            }
            FINISH => Frame::Finish { stream },
            RESET => Frame::Reset { stream, code: reader.number()?, reason: reader.text(REASON_BYTES)? },
            STOP => Frame::Stop { stream, code: reader.number()?, reason: reader.text(REASON_BYTES)? },
            TAKEN => Frame::Taken { stream, taken: reader.number()?, limit: reader.number()? },
            _ => Frame::Done { stream },
        })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, Breach>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.0.is_empty() {
            return None;
        }
        let frame = self.read();
        if frame.is_err() {
            self.0 = Reader(&[]);
        }
        Some(frame)
    }
}
