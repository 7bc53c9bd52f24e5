//! The messages, names and limits that grtc's server and its peers share.
//!
//! | module | what it holds |
//! |---|---|
//! | [`id`] | [`PeerId`] and [`RoomId`]: parsed, normalised, never built any other way |
//! | [`client`] | what a client sends: [`client::Frame`] |
//! | [`server`] | what a client gets: [`server::ServerMessage`] |
//! | [`signal`] | offers, answers and candidates as the peers themselves write and read them |
//! | [`report`] | what a peer reports of its pairs, for the server to count |
//! | [`json`] | reading JSON whose values stay as the bytes they came in |
//! | [`close`] | WebSocket close codes, and which of them say "come back" |
//! | [`text`] | which characters of a text have no business there because they can't be seen |
//! | [`streams`] | streams between two peers, above connections that come and go |
//! | [`limits`] | every number of the WebSocket, once |
//!
//! The crate does no I/O. `docs/PROTOCOL.md` describes the same things for people who write a client in another
//! language, and the golden files under `fixtures/` hold both to it.

pub mod client;
pub mod close;
#[cfg(test)]
mod golden;
pub mod id;
pub mod json;
pub mod limits;
pub mod report;
pub mod server;
pub mod signal;
pub mod streams;
pub mod text;

pub use close::CloseCode;
pub use id::{PeerId, RoomId};
