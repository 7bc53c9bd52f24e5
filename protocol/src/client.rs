//! What a client sends over its WebSocket: one JSON object in each text frame.
//!
//! [`Frame::parse`] reads the envelope (`type`, `target_peer_id`, `id`) and leaves the rest as the bytes it came in, so
//! that the server forwards them unchanged.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    id,
    json::{present, string},
    limits::{JSON_DEPTH, MESSAGE_ID_BYTES},
    server::ErrorCode,
};

/// One frame of a client, borrowed from its text.
#[derive(Debug, PartialEq)]
pub struct Frame<'a> {
    /// The sender's name for this message. The server answers it with an `ack`, or an `error` with the same `ref`.
    pub id: Option<Cow<'a, str>>,
    /// The message itself.
    pub message: ClientMessage<'a>,
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
}

impl<'a> Frame<'a> {
    /// Reads one text frame.
    ///
    /// # Errors
    /// A [`FrameError`] says what is wrong with it and repeats its `id` where it has one.
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        if !text.trim_start().starts_with('{') {
            return Err(bad_json("the frame is not a JSON object".to_owned()));
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
                _ => {
                    let message = format!("\"id\" has to be a string of at most {MESSAGE_ID_BYTES} bytes");
                    return Err(FrameError { code: ErrorCode::BadField, message, id: None });
                }
            },
        };
        match envelope.message(text) {
            Ok(message) => Ok(Self { id, message }),
            Err((code, message)) => Err(FrameError { code, message, id: id.map(Cow::into_owned) }),
        }
    }
}

type Refusal = (ErrorCode, String);

impl<'a> Envelope<'a> {
    fn message(&self, text: &'a str) -> Result<ClientMessage<'a>, Refusal> {
        let kind = string(needed(self.kind, "type")?)
            .ok_or_else(|| (ErrorCode::BadField, "\"type\" has to be a string".to_owned()))?;
        let signal = |field, value: Option<&RawValue>| {
            needed(value, field)?;
            Ok(ClientMessage::Signal { target: self.target()?, signal: text.trim() })
        };
        match &*kind {
            "offer" => signal("offer", self.offer),
            "answer" => signal("answer", self.answer),
            "ice_candidate" => signal("candidate", self.candidate),
            "broadcast" => Ok(ClientMessage::Broadcast { data: needed(self.data, "data")?.get() }),
            "message" => Ok(ClientMessage::Direct { data: needed(self.data, "data")?.get(), target: self.target()? }),
            "leave" => Ok(ClientMessage::Leave),
            "ping" => Ok(ClientMessage::Ping),
            _ => Err((
                ErrorCode::UnknownType,
                "\"type\" has to be offer, answer, ice_candidate, broadcast, message, leave or ping".to_owned(),
            )),
        }
    }

    fn target(&self) -> Result<Cow<'a, str>, Refusal> {
        let name = string(needed(self.target_peer_id, "target_peer_id")?)
            .ok_or_else(|| (ErrorCode::BadField, "\"target_peer_id\" has to be a string".to_owned()))?;
        Ok(match name {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> ErrorCode {
        Frame::parse(text).unwrap_err().code
    }

    #[test]
    fn forwards_a_signal_whole_with_fields_it_does_not_know() {
        let text = r#"{"type":"offer","target_peer_id":"b","offer":{"type":"offer","sdp":"v=0\r\n"},"x":[1.0,1e2]}"#;
        let Frame { id: None, message: ClientMessage::Signal { target, signal } } = Frame::parse(text).unwrap() else {
            panic!("no signal")
        };
        assert_eq!((&*target, signal), ("b", text));
    }

    #[test]
    fn null_is_a_value() {
        let end = r#"{"type":"ice_candidate","target_peer_id":"b","candidate":null}"#;
        assert!(matches!(Frame::parse(end).unwrap().message, ClientMessage::Signal { .. }));
        let nothing = Frame::parse(r#"{"type":"broadcast","data":null}"#).unwrap().message;
        assert_eq!(nothing, ClientMessage::Broadcast { data: "null" });
    }

    #[test]
    fn reads_escapes_in_the_envelope_and_takes_nfd_as_nfc() {
        let frame = Frame::parse(r#"{"type":"\u006dessage","target_peer_id":"e\u0301","data":1,"id":"q\"1"}"#).unwrap();
        assert_eq!(frame.id.as_deref(), Some("q\"1"));
        assert_eq!(frame.message, ClientMessage::Direct { target: "é".into(), data: "1" });
    }

    #[test]
    fn says_what_is_wrong() {
        use ErrorCode::{BadField, BadJson, MissingField, UnknownType};
        for (text, expected) in [
            ("", BadJson),
            ("hello", BadJson),
            ("[]", BadJson),
            ("\"x\"", BadJson),
            (r#"{"type":"ping"} x"#, BadJson),
            (r#"{"type":"ping","type":"leave"}"#, BadJson),
            (r#"{"type":"ping","id":"1","id":"2"}"#, BadJson),
            ("{}", MissingField),
            (r#"{"type":7}"#, BadField),
            (r#"{"type":null}"#, BadField),
            (r#"{"type":"shout"}"#, UnknownType),
            (r#"{"type":"broadcast"}"#, MissingField),
            (r#"{"type":"offer","offer":{}}"#, MissingField),
            (r#"{"type":"offer","target_peer_id":"b"}"#, MissingField),
            (r#"{"type":"offer","target_peer_id":7,"offer":{}}"#, BadField),
            (r#"{"type":"ping","id":7}"#, BadField),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
        let error = Frame::parse(r#"{"type":"shout","id":"m1"}"#).unwrap_err();
        assert_eq!(error.id.as_deref(), Some("m1"));
    }

    #[test]
    fn refuses_what_other_readers_would_choke_on() {
        let nested = |levels| {
            let (open, shut) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"type":"broadcast","data":{open}{shut}}}"#)
        };
        assert!(Frame::parse(&nested(JSON_DEPTH - 1)).is_ok());
        assert_eq!(code(&nested(JSON_DEPTH)), ErrorCode::BadJson);
        assert_eq!(code(&nested(30_000)), ErrorCode::BadJson);
        let quoted = format!(r#"{{"type":"broadcast","data":"\"{}"}}"#, "[".repeat(1_000));
        assert!(Frame::parse(&quoted).is_ok());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(6, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn depth(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
            serde_json::Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") {
            let _ = Frame::parse(&text);
        }

        #[test]
        fn keeps_the_bytes_of_any_data(data in json()) {
            let raw = data.to_string();
            let text = format!(r#"{{"type":"broadcast","data":{raw}}}"#);
            let frame = Frame::parse(&text).unwrap();
            prop_assert_eq!(frame.message, ClientMessage::Broadcast { data: &raw });
        }

        #[test]
        fn counts_depth_as_the_tree_has_it(data in json(), limit in 0_usize..8) {
            let text = format!("[{:?}{}", "[{", &format!(",{data}]"));
            prop_assert_eq!(depth_exceeds(&text, limit), 1 + depth(&data) > limit);
        }
    }
}
