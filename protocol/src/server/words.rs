//! The words in messages that stay the same.

use serde::{Deserialize, Serialize};

/// The codes of an `error` message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a JSON object, nested too deep, or with one envelope key twice.
    BadJson,
    /// A `type` that this server does not know.
    UnknownType,
    /// A field that this `type` needs is not there.
    MissingField,
    /// A field of the wrong kind.
    BadField,
    /// A binary frame.
    Unsupported,
    /// A message that the client's token does not allow.
    NotAllowed,
    /// The token of an `auth` can't take the place of the one that the connection came with.
    BadToken,
    /// Nobody of that name is in the room.
    PeerNotFound,
    /// The client sends more than its rate and is read more slowly.
    RateLimited,
}

/// Why a peer left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// It said so, or closed cleanly.
    Left,
    /// Its connection broke, or a ping went unanswered.
    Lost,
    /// It connected anew.
    Replaced,
    /// An administrator ended it.
    Kicked,
    /// It did not read what it was sent.
    Slow,
    /// It did not come back in time.
    Expired,
    /// The server that it was connected to is gone.
    NodeLost,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}
