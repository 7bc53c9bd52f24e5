//! Test servers, peers and load as verbs.
//!
//! [`TestServer`] is a server for one test; [`Client`] a peer over WebSocket; [`Http`] the HTTP side. Every wait has a
//! bound, and everything ends when it is dropped, so a test is a plain story of what happens.

pub mod http;
#[cfg(target_os = "linux")]
pub mod load;
pub mod process;
pub mod server;
pub mod ws;

pub use http::{Answer, Http};
pub use process::ServerProcess;
pub use server::TestServer;
pub use ws::{Client, Closed, Refusal};
