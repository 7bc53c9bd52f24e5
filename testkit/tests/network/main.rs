//! Two peers that talk while what is between them breaks: nothing is lost, and the conversation goes on soon. They take root,
//! `ip`, `iptables` and `conntrack`.
//!
//! Those of the everyday test are short; the long ones are run by `scripts/test network`.
#![cfg(target_os = "linux")]

mod a_blackout_is_a_pause;
mod a_browser_loses_its_network;
mod a_lossy_network_loses_nothing;
mod a_new_address_is_a_pause;
mod a_router_may_forget;
mod a_stopped_peer_goes_on;
mod common;
mod pairs_open_under_loss;
