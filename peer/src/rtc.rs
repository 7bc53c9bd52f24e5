//! Connections. The only place that names the webrtc crate.
//!
//! | module | what |
//! |---|---|
//! | [`connection`] | one `RTCPeerConnection` behind a guard that always closes it |
//! | [`task`] | the task that owns one: commands in, events out |
//! | [`pump`] | reads one channel |
//! | [`channel`] | a data channel to send on |
//! | [`handler`] | the library's callbacks, which own nothing |
//! | [`runtime`] | what makes the library fast |
//! | [`network`] | which addresses to gather on |

mod channel;
mod connection;
mod handler;
mod network;
mod pump;
mod runtime;
mod task;

pub use self::network::{Network, NetworkError};
pub(crate) use self::{
    channel::Channel,
    task::{Command, Context, Event, Handle, open},
};

/// A STUN or TURN server.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: String,
    /// For TURN. Never printed.
    pub credential: String,
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// What every connection of a peer is made with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) addresses: Vec<std::net::SocketAddr>,
    pub(crate) advertised: Vec<std::net::IpAddr>,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) relay_only: bool,
    pub(crate) resolve_mdns: bool,
}
