//! What a peer joins with.

use grtc_protocol::{PeerId, RoomId};

use crate::{
    link::url::ServerUrl,
    rtc::{IceServer, Network},
};

/// What a peer joins with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The signaling server.
    pub server: ServerUrl,
    /// The room.
    pub room: RoomId,
    /// The id to join under; without one the server makes one.
    pub id: Option<PeerId>,
    /// STUN and TURN servers instead of those that the signaling server names.
    pub ice_servers: Vec<IceServer>,
    /// How this peer is reached.
    pub network: Network,
}

impl Config {
    /// Joins this room of this server, with everything else left to its default.
    #[must_use]
    pub fn new(server: ServerUrl, room: RoomId) -> Self {
        Self { server, room, id: None, ice_servers: Vec::new(), network: Network::default() }
    }

    /// Joins under this id.
    #[must_use]
    pub fn with_id(mut self, id: PeerId) -> Self {
        self.id = Some(id);
        self
    }

    /// Is reached like this.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Uses these STUN and TURN servers instead of those that the signaling server names.
    #[must_use]
    pub fn with_ice_servers(mut self, ice_servers: Vec<IceServer>) -> Self {
        self.ice_servers = ice_servers;
        self
    }
}
