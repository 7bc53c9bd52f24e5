//! Who is in which room, and what each of them gets.
//!
//! [`room`] is a state machine without I/O, [`notice`] what it says to its members, [`registry`] finds the room of a name,
//! [`caps`] says how many there may be, [`outbox`] is what waits for one client, [`pool`] the memory for what is kept, [`token`] what a client comes back with,
//! [`wakes`] in which order those are woken whom a frame goes to.

pub(crate) mod caps;
pub(crate) mod notice;
pub(crate) mod outbox;
pub(crate) mod pool;
pub(crate) mod registry;
pub(crate) mod room;
#[cfg(test)]
mod tests;
pub(crate) mod token;
mod wakes;

/// A text frame, cheap to clone: one broadcast is encoded once for all its receivers.
pub(crate) type Text = tokio_tungstenite::tungstenite::Utf8Bytes;
