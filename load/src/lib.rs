//! Load for grtc-server, and what the server needs to bear it. The binary `grtc-load` is its command line;
//! `docs/BENCHMARKS.md` says what each figure means. What reads a process's CPU time and memory is for Linux alone.
//!
//! | module | its one concern |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`process`] | a server that is started and ended |
//! | [`target`] | the server under test: its address, CPU time and memory |
//! | [`window`] | the measured stretch of time |
//! | [`report`] | figures, targets and the JSON object |
//! | [`frame`], [`socket`] | a lean WebSocket client: the load must not be the bottleneck |
//! | [`exchange`] | a lean HTTP client, for the same reason |
//! | [`relay`], [`broadcast`], [`joins`], [`idle`], [`items`] | one measurement each |

#[cfg(target_os = "linux")]
pub mod broadcast;
#[cfg(target_os = "linux")]
pub mod cli;
pub mod exchange;
pub mod frame;
#[cfg(target_os = "linux")]
pub mod idle;
#[cfg(target_os = "linux")]
pub mod items;
#[cfg(target_os = "linux")]
pub mod joins;
pub mod process;
#[cfg(target_os = "linux")]
pub mod relay;
#[cfg(target_os = "linux")]
pub mod report;
pub mod socket;
#[cfg(target_os = "linux")]
pub mod target;
#[cfg(target_os = "linux")]
pub mod window;

#[cfg(target_os = "linux")]
mod run;

#[cfg(target_os = "linux")]
pub use run::{raise_open_files, run};
