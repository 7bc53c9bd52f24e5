//! What the server is told about its relay.

use serde::Serialize;

use crate::public_address::PublicAddress;

/// The relay. Each field is the flag of the same name.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RelayConfig {
    /// Be a STUN and TURN server, by UDP on the port of [`super::Config::listen`].
    pub turn: bool,
    /// The name of this server for clients, where the one that they asked for is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_address: Option<PublicAddress>,
}
