//! The seam between the driver and the connections: what it asks of one, and what one tells it. [`rtc`](crate::rtc) makes
//! real ones; the driver's tests have their own.

use std::{net::IpAddr, sync::Arc};

use grtc_protocol::{PeerId, signal::IceCandidate};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    channel::{Channel, Label},
    delivery::Delivery,
    event,
    negotiator::{ConnectionNumber, Input},
    report::{CandidatePair, LocalCause, Stage, Timings},
};

/// Makes connections.
pub(crate) trait RtcBackend: Send + Sync {
    /// Begins one. What comes of it, a failure included, is an [`Event`].
    fn open(&self, context: Context) -> Handle;
}

/// Names a pair: a peer, and which of the pairs with it, since a peer can come, go and come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PairKey {
    pub(crate) peer: PeerId,
    pub(crate) epoch: u64,
}

/// What a connection is made with.
pub(crate) struct Context {
    pub(crate) key: PairKey,
    pub(crate) connection: ConnectionNumber,
    /// A channel to make: this side offers.
    pub(crate) channel: Option<Label>,
    /// An earlier connection of the pair was secured, and no channel opened on it.
    pub(crate) stuck: bool,
    /// The pair's messages.
    pub(crate) delivery: Arc<Delivery>,
    /// The program leaves the room.
    pub(crate) leaving: CancellationToken,
    /// To the driver.
    pub(crate) events: mpsc::Sender<FromConnection>,
    /// To the program.
    pub(crate) inbox: mpsc::Sender<event::Event>,
}

/// What a connection tells, and which.
pub(crate) type FromConnection = (PairKey, ConnectionNumber, Event);

/// What the driver asks of a connection.
pub(crate) enum Command {
    CreateOffer,
    AcceptOffer(String),
    ApplyAnswer(String),
    AddCandidate(Option<IceCandidate>),
    /// The round-trip time in milliseconds is asked for.
    RoundTrip(oneshot::Sender<Option<f64>>),
}

/// What a connection tells the driver.
pub(crate) enum Event {
    /// Something for the pair's negotiator.
    Input(Input),
    /// It can't be begun, because of this machine. Its loss follows.
    Local(LocalCause),
    /// This phase is under way.
    Stage(Stage),
    /// Messages can be sent, in place of what there was to send them on.
    Open(Open),
    /// Nothing has come from the other side for a while.
    Silent,
    /// Something has come after all.
    Heard,
    /// What the transport has acknowledged of what was sent, in bytes, and whether there is more.
    Progress { acknowledged: u64, waiting: bool },
}

/// An open channel, and how it came about.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) channel: Channel,
    pub(crate) pair: CandidatePair,
    pub(crate) timings: Timings,
    /// This side's address on the path, if it is known.
    pub(crate) address: Option<IpAddr>,
    /// The other side's program was restarted: what it had not taken is lost.
    pub(crate) restarted: bool,
    /// Set once the program knows of the channel: its messages follow then.
    pub(crate) deliver: watch::Sender<bool>,
}

/// A connection. Dropping it closes the connection.
pub(crate) struct Handle {
    commands: mpsc::Sender<Command>,
}

impl Handle {
    /// A connection that takes its commands from the other end of this queue, and ends when that ends.
    pub(crate) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self { commands }
    }

    /// Asks for something. A connection that is stuck for hundreds of commands is left to its watchdogs.
    pub(crate) fn command(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::debug!("a connection takes no more commands");
        }
    }
}
