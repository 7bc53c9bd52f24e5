//! grtc
