//! Offers, answers and candidates as the peers themselves write and read them. The server never looks inside.

mod lenient;

use serde::{Deserialize, Serialize};

/// A message for one peer about its connection, in both directions: what is sent to the server, and what comes back
/// out of `webrtc_signal.signal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Signal {
    /// An SDP offer (RFC 8829).
    Offer {
        /// The peer that it is for.
        target_peer_id: String,
        /// The description.
        offer: SessionDescription,
        /// Names this offer, so that its answer and its candidates can be told from those of an earlier one.
        #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
        attempt: Option<String>,
    },
    /// An SDP answer.
    Answer {
        /// The peer that it is for.
        target_peer_id: String,
        /// The description.
        answer: SessionDescription,
        /// The attempt of the offer that it answers.
        #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
        attempt: Option<String>,
    },
    /// An ICE candidate (RFC 8838), or the end of the gathering when it is null or its text is empty.
    IceCandidate {
        /// The peer that it is for.
        target_peer_id: String,
        /// The candidate.
        #[serde(default, deserialize_with = "lenient::candidate")]
        candidate: Option<IceCandidate>,
        /// The attempt that it belongs to.
        #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
        attempt: Option<String>,
        /// Why the receiver's description of this attempt can't be used: a sentence.
        #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
}

/// `RTCSessionDescriptionInit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionDescription {
    /// `offer` or `answer`. The message says it too, and its word counts.
    #[serde(rename = "type", default, deserialize_with = "lenient::word")]
    pub kind: String,
    /// The SDP text.
    pub sdp: String,
}

/// `RTCIceCandidateInit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// The candidate attribute (RFC 8839 section 5.1).
    #[serde(default, deserialize_with = "lenient::word")]
    pub candidate: String,
    /// The media stream's identification tag.
    #[serde(default, deserialize_with = "lenient::tag", skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The index of the media description.
    #[serde(default, deserialize_with = "lenient::index", skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user name fragment that it belongs to.
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}
