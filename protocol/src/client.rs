//! What a client sends over its WebSocket: one JSON object in each text frame.
//!
//! [`Frame::parse`] reads the envelope (`type`, `target_peer_id`, `id`) and leaves the rest as the bytes it came in, so
//! that the server forwards them unchanged.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    id,
    json::{not_a_string, not_json, present, string},
    limits::{JSON_DEPTH, MESSAGE_ID_BYTES, METADATA_BYTES},
    report::Report,
    server::ErrorCode,
};

/// One frame of a client, borrowed from its text.
#[derive(Debug, PartialEq)]
pub struct Frame<'a> {
    /// The sender's name for this message. The server answers it with an `ack`, or an `error` with the same `ref`.
    pub id: Option<Cow<'a, str>>,
    /// Its type.
    pub kind: Kind,
    /// The message itself.
    pub message: ClientMessage<'a>,
}

/// The `type` of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `offer`
    Offer,
    /// `answer`
    Answer,
    /// `ice_candidate`
    IceCandidate,
    /// `broadcast`
    Broadcast,
    /// `message`
    Message,
    /// `metadata`
    Metadata,
    /// `auth`
    Auth,
    /// `report`
    Report,
    /// `ice_servers`
    IceServers,
    /// `leave`
    Leave,
    /// `ping`
    Ping,
}

/// A message that a client may send.
#[derive(Debug, PartialEq)]
pub enum ClientMessage<'a> {
    /// `offer`, `answer` or `ice_candidate`: the whole object goes to one peer.
    Signal {
        /// The peer that it is for, in NFC.
        target: Cow<'a, str>,
        /// The object as it was sent.
        signal: &'a str,
    },
    /// `broadcast`: the data goes to everybody else in the room.
    Broadcast {
        /// Any JSON, as it was sent.
        data: &'a str,
    },
    /// `message`: the data goes to one peer.
    Direct {
        /// The peer that it is for, in NFC.
        target: Cow<'a, str>,
        /// Any JSON, as it was sent.
        data: &'a str,
    },
    /// `metadata`: what the others shall see beside the id. Takes the place of the last one.
    Metadata {
        /// A JSON object, as it was sent.
        metadata: &'a str,
    },
    /// `auth`: a newer token for this connection.
    Auth {
        /// A JWT (RFC 7519).
        token: Cow<'a, str>,
    },
    /// `report`: what came of a pair. The server counts it.
    Report(Report),
    /// `ice_servers`: answered with those of now.
    IceServers,
    /// `leave`: the server announces it and closes with 1000.
    Leave,
    /// `ping`: answered with `pong`.
    Ping,
}

/// A frame that the server can't take. It is answered with an `error` message; the connection lives.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FrameError {
    /// The stable code.
    pub code: ErrorCode,
    /// A sentence for a person.
    pub message: String,
    /// The `id` of the message at fault, if it had a usable one.
    pub id: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, borrow, rename = "type", deserialize_with = "present")]
    kind: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    target_peer_id: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    offer: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    answer: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    candidate: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    metadata: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    token: Option<&'a RawValue>,
}

impl<'a> Frame<'a> {
    /// Reads one text frame.
    ///
    /// # Errors
    /// A [`FrameError`] says what is wrong with it and repeats its `id` where it has one.
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        if !text.trim_start().starts_with('{') {
            let why = not_json(text.as_bytes()).map(|why| format!(": {why}")).unwrap_or_default();
            return Err(bad_json(format!("the frame is not a JSON object{why}")));
        }
        let envelope: Envelope<'a> = match serde_json::from_str(text) {
            Ok(envelope) => envelope,
            Err(error) => return Err(bad_json(format!("the frame is not a JSON object that grtc can read: {error}"))),
        };
        if depth_exceeds(text, JSON_DEPTH) {
            return Err(bad_json(format!("the frame is nested deeper than {JSON_DEPTH} levels")));
        }
        let id = match envelope.id {
            None => None,
            Some(raw) => match string(raw) {
                Some(id) if id.len() <= MESSAGE_ID_BYTES => Some(id),
                Some(_) => {
                    let message = format!("\"id\" has to be a string of at most {MESSAGE_ID_BYTES} bytes");
                    return Err(FrameError { code: ErrorCode::BadField, message, id: None });
                }
                None => {
                    let message = format!("\"id\" {} (at most {MESSAGE_ID_BYTES} bytes)", not_a_string(raw));
                    return Err(FrameError { code: ErrorCode::BadField, message, id: None });
                }
            },
        };
        let read = text_of(envelope.kind, "type").and_then(|word| {
            let kind = Kind::of(&word).ok_or_else(unknown_type)?;
            Ok((kind, envelope.message(kind, text)?))
        });
        match read {
            Ok((kind, message)) => Ok(Self { id, kind, message }),
            Err((code, message)) => Err(FrameError { code, message, id: id.map(Cow::into_owned) }),
        }
    }
}

type Refusal = (ErrorCode, String);

impl Kind {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "offer" => Self::Offer,
            "answer" => Self::Answer,
            "ice_candidate" => Self::IceCandidate,
            "broadcast" => Self::Broadcast,
            "message" => Self::Message,
            "metadata" => Self::Metadata,
            "auth" => Self::Auth,
            "report" => Self::Report,
            "ice_servers" => Self::IceServers,
            "leave" => Self::Leave,
            "ping" => Self::Ping,
            _ => return None,
        })
    }

    /// The word for it in a frame.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
            Self::IceCandidate => "ice_candidate",
            Self::Broadcast => "broadcast",
            Self::Message => "message",
            Self::Metadata => "metadata",
            Self::Auth => "auth",
            Self::Report => "report",
            Self::IceServers => "ice_servers",
            Self::Leave => "leave",
            Self::Ping => "ping",
        }
    }
}

fn unknown_type() -> Refusal {
    let text = "\"type\" has to be offer, answer, ice_candidate, broadcast, message, metadata, auth, report, ice_servers, leave or ping";
    (ErrorCode::UnknownType, text.to_owned())
}

impl<'a> Envelope<'a> {
    fn message(&self, kind: Kind, text: &'a str) -> Result<ClientMessage<'a>, Refusal> {
        let signal = |field, value: Option<&RawValue>| {
            needed(value, field)?;
            Ok(ClientMessage::Signal { target: self.target()?, signal: text.trim() })
        };
        match kind {
            Kind::Offer => signal("offer", self.offer),
            Kind::Answer => signal("answer", self.answer),
            Kind::IceCandidate => signal("candidate", self.candidate),
            Kind::Broadcast => Ok(ClientMessage::Broadcast { data: needed(self.data, "data")?.get() }),
            Kind::Message => {
                Ok(ClientMessage::Direct { data: needed(self.data, "data")?.get(), target: self.target()? })
            }
            Kind::Metadata => Ok(ClientMessage::Metadata { metadata: metadata(needed(self.metadata, "metadata")?)? }),
            Kind::Report => Ok(ClientMessage::Report(Report::parse(text)?)),
            Kind::Auth => Ok(ClientMessage::Auth { token: text_of(self.token, "token")? }),
            Kind::IceServers => Ok(ClientMessage::IceServers),
            Kind::Leave => Ok(ClientMessage::Leave),
            Kind::Ping => Ok(ClientMessage::Ping),
        }
    }

    fn target(&self) -> Result<Cow<'a, str>, Refusal> {
        Ok(match text_of(self.target_peer_id, "target_peer_id")? {
            Cow::Borrowed(name) => id::normalize(name),
            Cow::Owned(name) => Cow::Owned(id::normalize(&name).into_owned()),
        })
    }
}

fn bad_json(message: String) -> FrameError {
    FrameError { code: ErrorCode::BadJson, message, id: None }
}

fn needed<'a>(field: Option<&'a RawValue>, name: &str) -> Result<&'a RawValue, Refusal> {
    field.ok_or_else(|| (ErrorCode::MissingField, format!("the message needs the field \"{name}\"")))
}

fn metadata(raw: &RawValue) -> Result<&str, Refusal> {
    if raw.get().starts_with('{') && raw.get().len() <= METADATA_BYTES {
        return Ok(raw.get());
    }
    Err((ErrorCode::BadField, format!("\"metadata\" has to be an object of at most {METADATA_BYTES} bytes")))
}

fn text_of<'a>(field: Option<&'a RawValue>, name: &str) -> Result<Cow<'a, str>, Refusal> {
    let raw = needed(field, name)?;
    string(raw).ok_or_else(|| (ErrorCode::BadField, format!("\"{name}\" {}", not_a_string(raw))))
}

/// Whether arrays and objects are nested deeper than `limit` in a text that is known to be JSON.
fn depth_exceeds(json: &str, limit: usize) -> bool {
    // Most frames have fewer brackets than the limit, strings included: then there is no need to tell them apart.
    // Counted in chunks whose counts fit a byte, which the compiler turns into vector instructions.
    let opening = |chunk: &[u8]| chunk.iter().fold(0_u8, |count, byte| count + u8::from(matches!(byte, b'[' | b'{')));
    if json.as_bytes().chunks(128).map(|chunk| usize::from(opening(chunk))).sum::<usize>() <= limit {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
