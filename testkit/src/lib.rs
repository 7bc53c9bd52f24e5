//! Test servers and peers as verbs.
//!
//! [`TestServer`] is a server for one test; [`Client`] a peer over WebSocket; [`Http`] the HTTP side. Every wait has a
//! bound, and everything ends when it is dropped, so a test is a plain story of what happens.

pub mod command;
pub mod http;
#[cfg(target_os = "linux")]
pub mod namespace;
pub mod peer;
pub mod process;
pub mod raw;
pub mod server;
pub mod sse;
pub mod ws;

pub use http::{Answer, Http};
pub use peer::{Ended as PeerEnded, PeerProcess};
pub use process::{Launch, ServerProcess};
pub use raw::Raw;
pub use server::TestServer;
pub use sse::Events;
pub use ws::{Client, Closed, Refusal};
