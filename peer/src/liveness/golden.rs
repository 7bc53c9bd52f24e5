//! The golden traces that the page's liveness replays too.

use serde::{Deserialize, Serialize};

use super::{Input, Liveness, Output, PairState};
use crate::golden::replay;

#[derive(Serialize, Deserialize)]
struct Setup {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Step {
    now: u64,
    input: Input,
    #[serde(default)]
    outputs: Vec<Output>,
    #[serde(default = "connecting")]
    state: PairState,
    #[serde(default)]
    timeout: Option<u64>,
}

fn connecting() -> PairState {
    PairState::Connecting
}

#[test]
fn golden_traces_are_what_the_liveness_does() {
    replay("liveness", 16, |_: &Setup, steps: &[Step]| {
        let mut machine = Liveness::new();
        let done = steps.iter().map(|Step { now, input, .. }| {
            machine.handle(*now, input.clone());
            let outputs = std::iter::from_fn(|| machine.poll_output()).collect();
            Step { now: *now, input: input.clone(), outputs, state: machine.state(), timeout: machine.poll_timeout() }
        });
        done.collect()
    });
}
