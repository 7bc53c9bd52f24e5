//! Connections. The only place that names the webrtc crate.
//!
//! | module | what |
//! |---|---|
//! | [`connection`] | one `RTCPeerConnection` behind a guard that always closes it |
//! | [`task`] | the task that owns one: commands in, events out |
//! | [`channel_set`] | the channels of one, each with a pump |
//! | [`pump`] | reads one channel |
//! | [`channel`] | a data channel to send on |
//! | [`window`] | how long a message may be, and how much may be under way |
//! | [`sizes`] | what descriptions say about that |
//! | [`candidates`] | local candidates as they are signaled |
//! | [`handler`] | the library's callbacks, which own nothing |
//! | [`runtime`] | what makes the library fast |
//! | [`network`] | which addresses to gather on |

mod candidates;
pub(crate) mod channel;
mod channel_set;
mod connection;
mod handler;
mod network;
mod pump;
mod runtime;
mod sizes;
mod task;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

pub use self::network::{Network, NetworkError};
use crate::{
    backend::{Context, Handle, RtcBackend},
    limits::CONNECTION_QUEUE,
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
    /// Asked of the kernel for each UDP socket, in bytes.
    pub(crate) socket_buffer: usize,
}

/// Makes connections with the webrtc crate.
pub(crate) struct WebRtc {
    settings: Arc<Settings>,
    tracker: TaskTracker,
}

impl WebRtc {
    /// Each connection is a task of this tracker.
    pub(crate) fn new(settings: Settings, tracker: TaskTracker) -> Self {
        Self { settings: Arc::new(settings), tracker }
    }
}

impl RtcBackend for WebRtc {
    fn open(&self, context: Context) -> Handle {
        let (commands, queue) = mpsc::channel(CONNECTION_QUEUE);
        self.tracker.spawn(task::run(Arc::clone(&self.settings), context, queue));
        Handle::new(commands)
    }
}
