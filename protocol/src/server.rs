//! What a client gets over its WebSocket.
//!
//! The server writes these with [`encode`]; a client reads them with [`ServerMessage::parse`]. Unknown fields and
//! unknown types are for clients to ignore.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::PeerId;

mod words;

pub use words::{ErrorCode, LeaveReason};

/// Declares one message: a struct whose `type` is written first and is always the same.
macro_rules! messages {
    ($($(#[$doc:meta])* $tag:literal => $name:ident $(<$life:lifetime>)? { $($(#[$meta:meta])* $field:ident: $kind:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Serialize, Deserialize)]
            pub struct $name $(<$life>)? { $($(#[$meta])* pub $field: $kind,)* }

            impl $(<$life>)? Message for $name $(<$life>)? {
                const TYPE: &'static str = $tag;
            }
        )*

        /// Any message of the server.
        #[derive(Clone, Debug)]
        pub enum ServerMessage<'a> {
            $($(#[$doc])* $name($name $(<$life>)?),)*
            /// A type that this version does not know: to be ignored.
            Unknown(Cow<'a, str>),
        }

        impl<'a> ServerMessage<'a> {
            /// Reads one text frame.
            ///
            /// # Errors
            /// When the text is not JSON or lacks a field of its type.
            pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
                #[derive(Deserialize)]
                struct Tag<'a> {
                    #[serde(rename = "type", borrow)]
                    kind: Cow<'a, str>,
                }
                let tag: Tag<'a> = serde_json::from_str(text)?;
                match &*tag.kind {
                    $($tag => serde_json::from_str(text).map(Self::$name),)*
                    _ => Ok(Self::Unknown(tag.kind)),
                }
            }
        }
    };
}

/// A message with its `type`.
pub trait Message: Serialize {
    /// The value of `type`.
    const TYPE: &'static str;
}

messages! {
    /// The first frame after a join: who was there before.
    "room_state" => RoomState<'a> {
        /// Everybody else in the room, in the order in which they joined.
        peers: Vec<PeerId>,
        /// The id of the client that gets this frame.
        your_peer_id: PeerId,
        /// The room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<crate::RoomId>,
        /// What `RTCPeerConnection` takes as `iceServers`.
        #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
        ice_servers: Option<&'a RawValue>,
        /// The number of the room's last broadcast.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        /// Which counting `seq` belongs to: another one when the room began anew, as after a restart of the server.
        #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
        epoch: Option<Cow<'a, str>>,
        /// What a client that asked for it comes back with.
        #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
        resume_token: Option<Cow<'a, str>>,
        /// To a client that came back: whether what it missed follows, whole. Else it is a new join.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recovered: Option<bool>,
        /// What the others have said about themselves.
        #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
        metadata: Option<BTreeMap<PeerId, &'a RawValue>>,
    }
    /// Somebody came.
    "peer_joined" => PeerJoined<'a> {
        /// Who.
        peer_id: PeerId,
        /// When, in RFC 3339.
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
        /// How many are in the room now.
        total_peers: usize,
    }
    /// Somebody went: exactly once for each that came.
    "peer_left" => PeerLeft<'a> {
        /// Who.
        peer_id: PeerId,
        /// When, in RFC 3339.
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
        /// How many are in the room now.
        total_peers: usize,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<LeaveReason>,
    }
    /// Somebody said something about itself.
    "peer_updated" => PeerUpdated<'a> {
        /// Who.
        peer_id: PeerId,
        /// An object; it takes the place of the last one.
        #[serde(borrow)]
        metadata: &'a RawValue,
        /// When, in RFC 3339.
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
    }
    /// Somebody has lost its connection and may come back: it is still in the room.
    "peer_away" => PeerAway<'a> {
        /// Who.
        peer_id: PeerId,
        /// When, in RFC 3339.
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
    }
    /// Somebody who was away is back.
    "peer_back" => PeerBack<'a> {
        /// Who.
        peer_id: PeerId,
        /// When, in RFC 3339.
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
    }
    /// An offer, an answer or a candidate from another peer.
    "webrtc_signal" => WebrtcSignal<'a> {
        /// Who sent it, as the server knows it.
        from_peer_id: PeerId,
        /// The whole object that the peer sent. See [`crate::signal::Signal`].
        #[serde(borrow)]
        signal: &'a RawValue,
        /// When, in RFC 3339.
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
    }
    /// What another peer sent to everybody.
    "broadcast_message" => BroadcastMessage<'a> {
        /// Who sent it, as the server knows it.
        from_peer_id: PeerId,
        /// Any JSON.
        #[serde(borrow)]
        data: &'a RawValue,
        /// When, in RFC 3339.
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
        /// The number of this broadcast in its room, growing by one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        /// It was sent before this client came, who asked for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replayed: bool,
    }
    /// What another peer sent to this one alone.
    "direct_message" => DirectMessage<'a> {
        /// Who sent it, as the server knows it.
        from_peer_id: PeerId,
        /// Any JSON.
        #[serde(borrow)]
        data: &'a RawValue,
        /// When, in RFC 3339.
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
    }
    /// A message that the server could not take.
    "error" => Error<'a> {
        /// The stable code.
        code: ErrorCode,
        /// A sentence for a person.
        #[serde(borrow)]
        message: Cow<'a, str>,
        /// The `id` of the message at fault.
        #[serde(default, borrow, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Cow<'a, str>>,
    }
    /// The answer to an `auth` whose token is good.
    "authenticated" => Authenticated<'a> {
        /// How long the token is, in RFC 3339.
        #[serde(borrow)]
        expires_at: Cow<'a, str>,
    }
    /// The answer to `ice_servers`.
    "ice_servers" => IceServers<'a> {
        /// What `RTCPeerConnection` takes.
        #[serde(borrow)]
        ice_servers: &'a RawValue,
    }
    /// The answer to `ping`.
    "pong" => Pong {}
    /// The server has taken the message with this `id`.
    "ack" => Ack<'a> {
        /// The `id`.
        #[serde(borrow, rename = "ref")]
        reference: Cow<'a, str>,
    }
}

/// The text frame for a message, `type` first.
#[must_use]
pub fn encode<M: Message>(message: &M) -> String {
    // The body is an object of its own; its opening brace becomes the comma after the type.
    let mut json = Vec::with_capacity(256);
    json.extend_from_slice(br#"{"type":""#);
    json.extend_from_slice(M::TYPE.as_bytes());
    json.push(b'"');
    let body = json.len();
    let written = serde_json::to_writer(&mut json, message);
    if json.len() == body + 2 {
        json.remove(body);
    } else if let Some(brace) = json.get_mut(body) {
        *brace = b',';
    }
    debug_assert!(written.is_ok(), "these messages have string keys only");
    String::from_utf8(json).unwrap_or_default()
}

/// Somebody's JSON on its way to others, as the bytes it came in.
///
/// The messages that carry it can be [`encode`]d as well, but that parses the JSON anew. Here it has been parsed before:
/// the result is the same.
#[derive(Clone, Copy, Debug)]
pub struct Forward<'a> {
    /// Who sent it.
    pub from: &'a PeerId,
    /// JSON.
    pub json: &'a str,
    /// RFC 3339.
    pub timestamp: &'a str,
}

impl Forward<'_> {
    /// A [`WebrtcSignal`].
    #[must_use]
    pub fn signal(self) -> String {
        self.message(WebrtcSignal::TYPE, "signal", None)
    }

    /// A [`DirectMessage`].
    #[must_use]
    pub fn direct(self) -> String {
        self.message(DirectMessage::TYPE, "data", None)
    }

    /// A [`BroadcastMessage`].
    #[must_use]
    pub fn broadcast(self, seq: u64) -> String {
        self.message(BroadcastMessage::TYPE, "data", Some(seq))
    }

    fn message(self, kind: &str, field: &str, seq: Option<u64>) -> String {
        let from = serde_json::to_string(self.from).unwrap_or_default();
        let mut text = String::with_capacity(self.json.len() + from.len() + 128);
        for part in ["{\"type\":\"", kind, "\",\"from_peer_id\":", &from, ",\"", field, "\":", self.json] {
            text.push_str(part);
        }
        for part in [",\"timestamp\":\"", self.timestamp, "\""] {
            text.push_str(part);
        }
        if let Some(seq) = seq {
            text.push_str(",\"seq\":");
            text.push_str(&seq.to_string());
        }
        text.push('}');
        text
    }
}

/// A [`BroadcastMessage`] as it was sent, for who came later: it says that it is `replayed`.
#[must_use]
pub fn replayed(broadcast: &str) -> String {
    let open = broadcast.strip_suffix('}').unwrap_or(broadcast);
    [open, ",\"replayed\":true}"].concat()
}

#[cfg(test)]
mod tests;
