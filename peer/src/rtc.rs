//! Connections. The only place that names the webrtc crate.
//!
//! | module | what |
//! |---|---|
//! | [`connection`] | one `RTCPeerConnection` behind a guard that always closes it |
//! | [`task`] | the task that owns one: commands in, events out |
//! | [`channel_set`] | the channels of one, each with a pump |
//! | [`pump`] | reads one channel |
//! | [`stream_pump`] | reads one of streams, and sends on it |
//! | [`channel`] | a data channel to send on |
//! | [`window`] | how long a message may be, and how much may be under way |
//! | [`sizes`] | what descriptions say about that |
//! | [`candidates`] | local candidates as they are signaled |
//! | [`description`] | pure: what other stacks describe, and what the library takes |
//! | [`handler`] | the library's callbacks, which own nothing |
//! | [`runtime`] | what makes the library fast |
//! | [`network`] | which addresses to gather on |
//! | [`settings`] | what every connection is made with |
//! | [`ice_server`] | which STUN and TURN servers can be used |

mod candidates;
pub(crate) mod channel;
mod channel_set;
mod connection;
mod description;
mod handler;
mod ice_server;
mod network;
mod pump;
mod runtime;
mod settings;
mod sizes;
mod stream_pump;
mod task;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

pub(crate) use self::{ice_server::is_turn, network::present_addresses, settings::Settings};
pub use self::{
    ice_server::{IceServer, UnusableIceServer},
    network::{Network, NetworkError},
};
use crate::{
    backend::{Context, Handle, RtcBackend},
    limits::CONNECTION_QUEUE,
};

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
