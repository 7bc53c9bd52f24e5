//! What goes in and what comes out of a session, in the words of the program.

use serde::{Deserialize, Serialize};

/// Names a session: random, another one for each start of a program and each pair.
pub type SessionId = [u8; 8];

/// Numbers that say why something ended. Those of a stream are the program's own, but for these.
pub mod code {
    /// The program has ended the session.
    pub const CLOSED: u64 = 0;
    /// Of a session: what came is no frame.
    pub const MALFORMED: u64 = 1;
    /// Of a session: the other side speaks another version.
    pub const VERSION: u64 = 2;
    /// Of a session: a frame where it has no place.
    pub const OUT_OF_PLACE: u64 = 3;
    /// Of a session: more than a bound allows.
    pub const BEYOND_BOUND: u64 = 4;
    /// Of a stream: the other side was restarted and knows nothing of it. Never sent.
    pub const RESTARTED: u64 = 1;
}

/// A stream, as one side names it: even when it has opened it, odd when the other side has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub(super) u64);

impl StreamId {
    pub(super) const fn own(number: u64) -> Self {
        Self(number * 2)
    }

    /// This side has opened it.
    #[must_use]
    pub const fn is_own(self) -> bool {
        self.0.is_multiple_of(2)
    }

    /// Counts the streams that one side has opened.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0 / 2
    }

    /// What the other side calls it.
    #[must_use]
    pub const fn seen_from_there(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// What the program has to know. A position counts the bytes that were written to a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Both sides know what the other one has: streams go on. `restarted`: the other side is not the one that it was.
    Linked {
        /// All streams of before were reset.
        restarted: bool,
    },
    /// The other side has opened a stream.
    Opened {
        /// The stream.
        stream: StreamId,
        /// What it is for.
        label: String,
    },
    /// There is something to read, after a read gave nothing: read until one gives nothing again.
    Readable {
        /// The stream.
        stream: StreamId,
    },
    /// There is room, after a write was refused.
    Writable {
        /// The stream.
        stream: StreamId,
    },
    /// The other side's program has everything up to here.
    Acknowledged {
        /// The stream.
        stream: StreamId,
        /// The first byte that it may not have.
        position: u64,
    },
    /// For so long it is not known whether the other side's program has what was written up to here. It may still come to
    /// have it, and be acknowledged.
    Unknown {
        /// The stream.
        stream: StreamId,
        /// The end of the last such write.
        position: u64,
    },
    /// The other side's program has read this stream to its end.
    Finished {
        /// The stream.
        stream: StreamId,
    },
    /// The other side has given up what it was sending; what was not read yet is gone.
    Reset {
        /// The stream.
        stream: StreamId,
        /// The program's, or [`code::RESTARTED`]: then neither way of it is left.
        code: u64,
        /// For people.
        reason: String,
    },
    /// The other side wants no more of it: nothing can be written.
    Stopped {
        /// The stream.
        stream: StreamId,
        /// The program's.
        code: u64,
        /// For people.
        reason: String,
    },
    /// The session is over, with all of its streams.
    Ended {
        /// See [`code`].
        code: u64,
        /// For people.
        reason: String,
    },
}

/// What a session holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Streams that have not ended on both sides.
    pub streams: usize,
    /// Bytes that the other side's program may not have.
    pub waiting: u64,
    /// Bytes that this side's program has not read.
    pub unread: u64,
}

/// What a session has for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Nothing.
    Nothing,
    /// The other side would like to know what was taken: that may wait a little, for data to take it along.
    Acknowledgements,
    /// Something that should go at once.
    Data,
}

/// What a read gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The next bytes.
    Bytes(Vec<u8>),
    /// There are no more, now that the program has all.
    End,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteError {
    /// As much waits as may; [`Output::Writable`] follows.
    #[error("too much waits to be sent")]
    Full,
    /// Longer than a bound.
    #[error("it is too long")]
    TooLong,
    /// There is no such stream, or this side of it has ended.
    #[error("the stream has ended")]
    Ended,
    /// As many streams are open as may.
    #[error("too many streams are open")]
    TooMany,
}

/// A rule that the other side has broken. It ends the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// See [`code`].
    pub code: u64,
    /// For people.
    pub reason: &'static str,
}

impl Breach {
    pub(super) const fn malformed(reason: &'static str) -> Self {
        Self { code: code::MALFORMED, reason }
    }

    pub(super) const fn out_of_place(reason: &'static str) -> Self {
        Self { code: code::OUT_OF_PLACE, reason }
    }

    pub(super) const fn beyond(reason: &'static str) -> Self {
        Self { code: code::BEYOND_BOUND, reason }
    }
}
