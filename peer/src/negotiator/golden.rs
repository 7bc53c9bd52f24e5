//! Replays the golden traces that the page's negotiator replays too.
//!
//! After a change that is meant, `GRTC_BLESS=1 cargo test -p grtc-peer golden` writes what the machine does now into
//! the traces: read the difference before committing it.

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{Action, Input, Negotiator};

#[derive(Serialize, Deserialize)]
struct Trace {
    name: String,
    why: String,
    initiator: bool,
    polite: bool,
    seed: String,
    steps: Vec<Step>,
}

#[derive(Serialize, Deserialize)]
struct Step {
    now: u64,
    input: Input,
    #[serde(default)]
    actions: Vec<Action>,
    #[serde(default)]
    timeout: Option<u64>,
}

fn traces() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/fixtures/negotiation");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn replay(trace: &Trace) -> Vec<(Vec<Action>, Option<u64>)> {
    let mut machine = Negotiator::new(trace.initiator, trace.polite, trace.seed.clone());
    let mut outcome = Vec::new();
    for step in &trace.steps {
        machine.handle(step.now, step.input.clone());
        outcome.push((std::iter::from_fn(|| machine.poll_action()).collect(), machine.poll_timeout()));
    }
    outcome
}

/// One step a line, so that a difference can be read.
fn write(trace: &Trace) -> String {
    let json = |value: &dyn erased::Json| value.json();
    let steps: Vec<String> = trace.steps.iter().map(|step| format!("    {}", json(step))).collect();
    format!(
        "{{\n  \"name\": {},\n  \"why\": {},\n  \"initiator\": {},\n  \"polite\": {},\n  \"seed\": {},\n  \"steps\": [\n{}\n  ]\n}}\n",
        json(&trace.name),
        json(&trace.why),
        trace.initiator,
        trace.polite,
        json(&trace.seed),
        steps.join(",\n")
    )
}

mod erased {
    pub(super) trait Json {
        fn json(&self) -> String;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> String {
            serde_json::to_string(self).unwrap()
        }
    }
}

#[test]
fn golden_traces_are_what_the_machine_does() {
    #[allow(clippy::disallowed_methods, reason = "a switch of the test's own")]
    let bless = std::env::var_os("GRTC_BLESS").is_some();
    let paths = traces();
    assert!(paths.len() >= 18, "the traces are not all there");
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let mut trace: Trace = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(Some(trace.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()), "{path:?}");
        let outcome = replay(&trace);
        if bless {
            for (step, (actions, timeout)) in trace.steps.iter_mut().zip(outcome) {
                (step.actions, step.timeout) = (actions, timeout);
            }
            fs::write(&path, write(&trace)).unwrap();
            continue;
        }
        for (step, (actions, timeout)) in trace.steps.iter().zip(outcome) {
            let at = format!("{} at {} after {:?}", trace.name, step.now, step.input);
            assert_eq!(actions, step.actions, "{at}");
            assert_eq!(timeout, step.timeout, "{at}");
        }
    }
}
