//! The golden traces that the page's negotiator replays too.

use serde::{Deserialize, Serialize};

use super::{Action, Input, Negotiator};
use crate::golden::replay;

#[derive(Serialize, Deserialize)]
struct Setup {
    initiator: bool,
    polite: bool,
    seed: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Step {
    now: u64,
    input: Input,
    #[serde(default)]
    actions: Vec<Action>,
    #[serde(default)]
    timeout: Option<u64>,
}

#[test]
fn golden_traces_are_what_the_negotiator_does() {
    replay("negotiation", 18, |setup: &Setup, steps: &[Step]| {
        let mut machine = Negotiator::new(setup.initiator, setup.polite, setup.seed.clone());
        let done = steps.iter().map(|Step { now, input, .. }| {
            machine.handle(*now, input.clone());
            let actions = std::iter::from_fn(|| machine.poll_action()).collect();
            Step { now: *now, input: input.clone(), actions, timeout: machine.poll_timeout() }
        });
        done.collect()
    });
}
