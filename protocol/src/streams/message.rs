//! Messages in a stream of bytes: each begins with a number, twice its length and one more when it is a text.

use super::{
    bytes::Bytes,
    limits::MESSAGE_BYTES,
    wire::{Reader, put},
};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

impl Content {
    /// The bytes to write: all in one write, so that no other message comes between them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => framed(text.as_bytes(), true),
            Self::Binary(bytes) => framed(bytes, false),
        }
    }
}

/// The same of the content's bytes.
#[must_use]
pub fn framed(content: &[u8], text: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 8);
    put(&mut out, content.len() as u64 * 2 + u64::from(text));
    out.extend(content);
    out
}

/// What came is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAMessage {
    /// Longer than a message may be.
    #[error("a message is too long")]
    TooLong,
    /// A text that is none.
    #[error("a text is no UTF-8")]
    NotUtf8,
}

/// Makes messages of what is read. It holds what the last read brought, and one message at most beside it.
#[derive(Debug, Default)]
pub struct Messages(Bytes);

impl Messages {
    /// Takes what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    /// The next whole message. Call it until there is none, then read on.
    ///
    /// # Errors
    /// What follows is none. The stream is of no use any more.
    pub fn take(&mut self) -> Result<Option<Content>, NotAMessage> {
        let head = self.0.copy(0, 8);
        let mut reader = Reader(&head);
        let Ok(number) = reader.number() else {
            return if head.len() < 8 { Ok(None) } else { Err(NotAMessage::TooLong) };
        };
        let length = usize::try_from(number / 2).unwrap_or(usize::MAX);
        if length > MESSAGE_BYTES {
            return Err(NotAMessage::TooLong);
        }
        let begin = head.len() - reader.0.len();
        if self.0.len() < begin + length {
            return Ok(None);
        }
        self.0.skip(begin);
        let bytes = self.0.take(length);
        if number % 2 == 0 {
            return Ok(Some(Content::Binary(bytes)));
        }
        String::from_utf8(bytes).map(|text| Some(Content::Text(text))).map_err(|_| NotAMessage::NotUtf8)
    }
}
