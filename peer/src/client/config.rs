//! What a peer joins with.

use std::time::Duration;

use grtc_protocol::{PeerId, RoomId};
use serde_json::{Map, Value};

use crate::{
    link::{roots::Roots, url::ServerUrl},
    rtc::{IceServer, Network},
    token::TokenSource,
};

/// What a peer joins with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The signaling server.
    pub server: ServerUrl,
    /// Who may vouch for a server that speaks TLS.
    pub roots: Roots,
    /// The room.
    pub room: RoomId,
    /// The id to join under; without one the server makes one.
    pub id: Option<PeerId>,
    /// STUN and TURN servers instead of those that the signaling server names.
    pub ice_servers: Vec<IceServer>,
    /// How this peer is reached.
    pub network: Network,
    /// What says who this peer is, for a server that asks. None by default.
    pub token: Option<TokenSource>,
    /// How long to try again while somebody else has the id, perhaps an earlier self whose place the server keeps.
    pub wait_for_id: Duration,
    /// What this peer says about itself: the others see it beside the id. At most 4 KiB as JSON; nothing is said by default.
    pub metadata: Map<String, Value>,
}

impl Config {
    /// Joins this room of this server, with everything else left to its default.
    #[must_use]
    pub fn new(server: ServerUrl, room: RoomId) -> Self {
        Self {
            server,
            roots: Roots::default(),
            room,
            id: None,
            ice_servers: Vec::new(),
            network: Network::default(),
            token: None,
            wait_for_id: Duration::ZERO,
            metadata: Map::new(),
        }
    }

    /// Believes these authorities when a server speaks TLS, and not those of the system.
    #[must_use]
    pub fn with_roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Joins under this id.
    #[must_use]
    pub fn with_id(mut self, id: PeerId) -> Self {
        self.id = Some(id);
        self
    }

    /// Shows this token, or the one in this file, to the server.
    #[must_use]
    pub fn with_token(mut self, token: TokenSource) -> Self {
        self.token = Some(token);
        self
    }

    /// Tries again for so long while somebody else has the id.
    #[must_use]
    pub fn with_wait_for_id(mut self, wait: Duration) -> Self {
        self.wait_for_id = wait;
        self
    }

    /// Says this about itself, such as a `name` and a `color`, which the page shows.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.metadata = metadata;
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
