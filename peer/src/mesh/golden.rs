//! The golden traces that the page's mesh replays too.

use grtc_protocol::PeerId;
use serde::{Deserialize, Serialize};

use super::{Effect, Input, Mesh};
use crate::golden::replay;

#[derive(Serialize, Deserialize)]
struct Setup {
    /// Who is asked for after each step: `present` are those of them that are in the room.
    peers: Vec<PeerId>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Step {
    now: u64,
    input: Input,
    #[serde(default)]
    effects: Vec<Effect>,
    #[serde(default)]
    present: Vec<PeerId>,
    #[serde(default)]
    timeout: Option<u64>,
}

#[test]
fn golden_traces_are_what_the_mesh_does() {
    replay("mesh", 16, |setup: &Setup, steps: &[Step]| {
        let mut mesh = Mesh::default();
        let done = steps.iter().map(|Step { now, input, .. }| {
            let effects = mesh.handle(*now, input.clone());
            let present = setup.peers.iter().filter(|peer| mesh.is_present(peer)).cloned().collect();
            Step { now: *now, input: input.clone(), effects, present, timeout: mesh.poll_timeout() }
        });
        done.collect()
    });
}
