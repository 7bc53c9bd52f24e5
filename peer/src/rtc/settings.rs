//! What every connection of a peer is made with.

use super::{ice_server::IceServer, network::Network};

/// What every connection of a peer is made with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) network: Network,
    /// Those that can be used.
    pub(crate) ice_servers: Vec<IceServer>,
    /// Asked of the kernel for each UDP socket, in bytes.
    pub(crate) socket_buffer: usize,
}
