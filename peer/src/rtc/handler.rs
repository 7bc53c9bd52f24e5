//! The library's callbacks. They run on its driver, so they never wait, and they own no connection: one that did would
//! never be freed.

use std::sync::Arc;

use tokio::sync::mpsc;
use webrtc::{
    data_channel::DataChannel,
    peer_connection::{
        PeerConnectionEventHandler, RTCIceCandidate, RTCIceConnectionState, RTCIceGatheringState,
        RTCPeerConnectionIceEvent, RTCPeerConnectionState,
    },
};

/// What the library says.
pub(super) enum Callback {
    /// A local candidate, or the end of them.
    Candidate(Option<RTCIceCandidate>),
    /// ICE has found a pair, or hears of the other side again.
    IceConnected,
    /// ICE has heard nothing for a while.
    IceDisconnected,
    /// The handshake is done.
    Connected,
    /// The connection is dead.
    Dead(&'static str),
    /// The other side made a channel.
    Channel(Arc<dyn DataChannel>),
}

/// Passes them on.
pub(super) struct Handler(pub(super) mpsc::Sender<Callback>);

impl Handler {
    fn pass(&self, callback: Callback) {
        // Full means that the connection's task has been stuck for hundreds of callbacks: its watchdogs take over.
        let _ = self.0.try_send(callback);
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        self.pass(Callback::Candidate(Some(event.candidate)));
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.pass(Callback::Candidate(None));
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        match state {
            RTCIceConnectionState::Connected | RTCIceConnectionState::Completed => self.pass(Callback::IceConnected),
            RTCIceConnectionState::Disconnected => self.pass(Callback::IceDisconnected),
            RTCIceConnectionState::Failed => self.pass(Callback::Dead("ICE failed")),
            _ => {}
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Connected => self.pass(Callback::Connected),
            RTCPeerConnectionState::Failed => self.pass(Callback::Dead("the connection failed")),
            RTCPeerConnectionState::Closed => self.pass(Callback::Dead("the connection was closed")),
            _ => {}
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.pass(Callback::Channel(channel));
    }
}
