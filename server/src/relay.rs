//! A closed relay (STUN, RFC 8489; TURN, RFC 8656) on the server's own port.
//!
//! An allocation opens no socket: its relayed address exists in a table alone, and data goes to another allocation of the
//! same room, which is to its client. There is nothing else that it could reach.

pub mod channel_data;
pub mod credentials;
pub(crate) mod exchange;
pub mod frames;
mod outlet;
mod relayed;
mod socket;
pub(crate) mod start;
pub(crate) mod stream;
pub mod stun;
pub mod table;
pub(crate) mod udp;
