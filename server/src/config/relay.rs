//! What the server is told about its relay.

use std::net::SocketAddr;

use serde::Serialize;

use crate::public_address::PublicAddress;

/// The relay. Each field is the flag of the same name.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RelayConfig {
    /// Be a STUN and TURN server, by UDP, TCP and, where there is TLS, by TLS on the port of [`super::Config::listen`].
    pub turn: bool,
    /// Where it is that instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_listen: Option<SocketAddr>,
    /// The name of this server for clients, where the one that they asked for is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_address: Option<PublicAddress>,
}

/// Why nothing can be relayed as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// A place for what is not there.
    #[error("--turn-listen {0} says where the relay is, and there is none without --turn")]
    NoRelay(SocketAddr),
}

impl RelayConfig {
    pub(super) fn check(&self) -> Result<(), RelayError> {
        match self.turn_listen.filter(|_| !self.turn) {
            Some(address) => Err(RelayError::NoRelay(address)),
            None => Ok(()),
        }
    }
}
