//! A native WebRTC peer.

mod limits;
#[cfg_attr(not(test), expect(dead_code, reason = "the mesh that drives it follows"))]
mod negotiator;
pub use negotiator::PairState;
