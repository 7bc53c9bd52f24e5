//! A native WebRTC peer: joins a room, opens a data channel to everybody in it, and keeps them open.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use grtc_peer::{Config, Event, Peer};
//!
//! let (peer, mut events) = Peer::join(Config::new("ws://127.0.0.1:8001".parse()?, "lobby".parse()?)).await?;
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Connected { peer_id, .. } => peer.send(&peer_id, "hello").await?,
//!         Event::Message { from, payload, .. } => println!("{from}: {payload:?}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Inside
//! ```text
//! client   the handle and the event stream
//! driver   the one select loop: signaling, connections, commands, timers
//! mesh     pure: who is in the room           negotiator   pure: one pair, from offer to retry
//! liveness pure: how a pair is, and when its connection is replaced
//! delivery what is sent and comes, over connections that are replaced
//! link     the way to the server, opened again when it breaks          token   who this peer says it is
//! backend  the seam to the connections        rtc          connections; the only place that names the webrtc crate
//! channels the open channels, to send on      report       phases, times, what a failure says
//! network_watch   what changes around this process: addresses, a sleep
//! ```
//! A pair outlives its connections: one that does not open in time, or breaks, is replaced by a fresh one.

mod backend;
mod channel;
mod channels;
mod client;
mod delivery;
mod driver;
mod event;
#[cfg(test)]
#[path = "../../protocol/src/golden.rs"]
mod golden;
mod limits;
mod link;
mod liveness;
mod mesh;
mod negotiator;
mod network_watch;
mod report;
mod rtc;
mod token;

pub use self::{
    channels::{SendError, Sent, SentToAll},
    client::{Config, Events, JoinError, Peer},
    event::{Event, Payload, Via},
    limits::MESSAGE_BYTES,
    link::{
        Back, Incoming, Join, LinkEnds, LinkError, Outgoing, SignalLink,
        roots::{InvalidRoots, Roots},
        url::{InvalidServer, ServerUrl},
        ws::WebSocketLink,
    },
    liveness::PairState,
    report::{CandidatePair, LocalCause, PeerStatus, Stage, Timings},
    rtc::{IceServer, Network, NetworkError, UnusableIceServer},
    token::TokenSource,
};
pub use grtc_protocol::{PeerId, RoomId};
