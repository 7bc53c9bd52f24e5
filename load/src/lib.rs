//! Load for grtc-server, and what the server needs to bear it. The binary `grtc-load` is its command line;
//! `docs/BENCHMARKS.md` says what each figure means. What reads a process's CPU time and memory is for Linux alone.
//!
//! | module | its one concern |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`process`] | a server that is started and ended |
//! | [`server_args`], [`variants`] | which server, and the same one with and without keys, limits and TLS |
//! | [`target`] | the server under test: its CPU time and memory |
//! | [`door`], [`tokens`], [`roots`] | the way in: its address, what clients show, and whom they believe |
//! | [`window`] | the measured stretch of time |
//! | [`report`] | figures, targets and the JSON object |
//! | [`stream`], [`frame`], [`socket`] | a lean WebSocket client: the load must not be the bottleneck |
//! | [`exchange`] | a lean HTTP client, for the same reason |
//! | [`relay`], [`broadcast`], [`joins`], [`idle`], [`resume`], [`crowd`], [`others`], [`compare`], [`items`] | one measurement each |

#[cfg(target_os = "linux")]
pub mod broadcast;
#[cfg(target_os = "linux")]
pub mod cli;
#[cfg(target_os = "linux")]
pub mod compare;
#[cfg(target_os = "linux")]
pub mod crowd;
pub mod door;
pub mod exchange;
pub mod frame;
#[cfg(target_os = "linux")]
pub mod idle;
#[cfg(target_os = "linux")]
pub mod items;
#[cfg(target_os = "linux")]
pub mod joins;
#[cfg(target_os = "linux")]
pub mod others;
pub mod process;
#[cfg(target_os = "linux")]
pub mod relay;
#[cfg(target_os = "linux")]
pub mod report;
#[cfg(target_os = "linux")]
pub mod resume;
pub mod roots;
#[cfg(target_os = "linux")]
pub mod server_args;
pub mod socket;
pub mod stream;
#[cfg(target_os = "linux")]
pub mod target;
pub mod tokens;
#[cfg(target_os = "linux")]
pub mod variants;
#[cfg(target_os = "linux")]
pub mod window;

#[cfg(target_os = "linux")]
mod run;

#[cfg(target_os = "linux")]
pub use run::{raise_open_files, run};
