//! Test servers and peers as verbs.
//!
//! [`TestServer`] is a server for one test; [`Client`] a peer over WebSocket; [`Http`] the HTTP side. Every wait has a
//! bound, and everything ends when it is dropped, so a test is a plain story of what happens.

#[cfg(target_os = "linux")]
pub mod activation;
pub mod command;
pub mod conversation;
pub mod http;
#[cfg(target_os = "linux")]
pub mod line;
pub mod metrics;
#[cfg(target_os = "linux")]
pub mod namespace;
#[cfg(target_os = "linux")]
pub mod nat;
pub mod nginx;
pub mod peer;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod receiver;
pub mod server;
pub mod sse;
pub mod tls;
pub mod turn;
pub mod ws;

pub use http::{Answer, Http};
pub use peer::{Ended as PeerEnded, PeerProcess};
pub use process::{Launch, ServerProcess};
pub use proxy::Proxy;
pub use raw::Raw;
pub use receiver::{Received, Receiver};
pub use server::TestServer;
pub use sse::Events;
pub use tls::Authority;
pub use ws::{Client, Closed, Refusal};
