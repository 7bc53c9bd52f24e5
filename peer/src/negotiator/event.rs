//! What goes into a [`Negotiator`](super::Negotiator) and what comes out of it.
//!
//! The names here are those of the golden traces under `protocol/fixtures/negotiation`, which the page's negotiator
//! replays as well.

use grtc_protocol::signal::IceCandidate;
use serde::{Deserialize, Serialize};

/// The number of a connection, counted from 1 within its pair.
pub(crate) type ConnectionNumber = u32;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Input {
    /// The pair begins: the remote peer is in the room.
    Start,
    /// The remote peer offers.
    RemoteOffer { sdp: String, attempt: Option<String> },
    /// The remote peer answers.
    RemoteAnswer { sdp: String, attempt: Option<String> },
    /// A candidate of the remote peer, or the end of them.
    RemoteCandidate { candidate: Option<IceCandidate>, attempt: Option<String> },
    /// The remote peer can't use what this side has described.
    RemoteRefusal { message: String, attempt: Option<String> },
    /// A candidate of this side, or the end of them.
    LocalCandidate { connection: ConnectionNumber, candidate: Option<IceCandidate> },
    /// The result of [`Action::CreateOffer`]: the offer is made and set.
    OfferCreated { connection: ConnectionNumber, sdp: String },
    /// The result of [`Action::AcceptOffer`]: the offer is set, the answer made and set.
    AnswerCreated { connection: ConnectionNumber, sdp: String },
    /// The result of [`Action::ApplyAnswer`].
    AnswerApplied { connection: ConnectionNumber },
    /// Any operation's other result.
    OperationFailed { connection: ConnectionNumber, message: String },
    /// The data channel is open.
    ChannelOpen { connection: ConnectionNumber },
    /// The channel closed, the driver ended, or ICE gave up.
    ConnectionLost { connection: ConnectionNumber, reason: String },
    /// Something has changed, so that another try may do better.
    #[allow(dead_code, reason = "the driver does not say it yet")]
    TryAgain,
    /// Give up, for this reason.
    #[allow(dead_code, reason = "the driver does not say it yet")]
    GiveUp { reason: String },
    /// The instant of `poll_timeout` has come.
    Tick,
}

/// Something to do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Make a fresh connection, with the data channel on it if this side offers.
    Open { connection: ConnectionNumber, channel: bool },
    /// Operation: make an offer and set it.
    CreateOffer { connection: ConnectionNumber },
    /// Operation: set the remote offer, make an answer and set it.
    AcceptOffer { connection: ConnectionNumber, sdp: String },
    /// Operation: set the remote answer.
    ApplyAnswer { connection: ConnectionNumber, sdp: String },
    /// Add a remote candidate. There is no result.
    AddCandidate { connection: ConnectionNumber, candidate: Option<IceCandidate> },
    /// Send this to the remote peer.
    Send(Message),
    /// Close the connection. Nothing is asked of it afterwards.
    Close { connection: ConnectionNumber },
    /// The pair is in another state.
    State(State),
    /// A description can't be used: the remote peer's, or this side's by its word.
    Refused { message: String },
    /// Why the pair is about to fail.
    Error { message: String },
}

/// A message for the remote peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    /// An offer under a name of its own.
    Offer { sdp: String, attempt: Option<String> },
    /// The answer to the offer of that name.
    Answer { sdp: String, attempt: Option<String> },
    /// A candidate for the attempt of that name; without a text it is the end of them.
    Candidate { candidate: IceCandidate, attempt: Option<String> },
    /// The description of the attempt of that name can't be used.
    Refusal { message: String, attempt: Option<String> },
}

/// How far a pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// A connection is being made, or waited for.
    Connecting,
    /// The data channel is open.
    Connected,
    /// It was open and is not any more; another connection follows.
    Disconnected,
    /// Given up, until the other side offers again.
    Failed,
}
