//! Replays golden traces: what a pure machine does, step by step, in files that the page's machine replays too. For the tests
//! of this crate and of the peer.
//!
//! After a change that is meant, `GRTC_BLESS=1 cargo test -p grtc-protocol -p grtc-peer golden` writes what the machines do now into
//! the traces: read the difference before committing it.

use std::{fmt::Debug, fs, path::PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

#[derive(Serialize, Deserialize)]
struct Trace<Setup, Step> {
    name: String,
    why: String,
    #[serde(flatten)]
    setup: Setup,
    steps: Vec<Step>,
}

/// Holds a machine to the traces in this folder of `protocol/fixtures`, which has so many at least. `run` gives back the steps as the machine does them.
pub(crate) fn replay<Setup, Step>(folder: &str, at_least: usize, run: impl Fn(&Setup, &[Step]) -> Vec<Step>)
where
    Setup: Serialize + DeserializeOwned,
    Step: Serialize + DeserializeOwned + PartialEq + Debug,
{
    #[allow(clippy::disallowed_methods, reason = "a switch of the tests' own")]
    let bless = std::env::var_os("GRTC_BLESS").is_some();
    let paths = paths(folder);
    assert!(paths.len() >= at_least, "the traces are not all there");
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let mut trace: Trace<Setup, Step> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(Some(trace.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()), "{path:?}");
        let done = run(&trace.setup, &trace.steps);
        if bless {
            trace.steps = done;
            fs::write(&path, write(&trace)).unwrap();
            continue;
        }
        for (number, (done, step)) in done.iter().zip(&trace.steps).enumerate() {
            assert_eq!(done, step, "step {number} of {}", trace.name);
        }
    }
}

fn paths(folder: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/fixtures").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// One step a line, so that a difference can be read.
fn write<Setup: Serialize, Step: Serialize>(trace: &Trace<Setup, Step>) -> String {
    let setup: Map<String, Value> = serde_json::from_value(serde_json::to_value(&trace.setup).unwrap()).unwrap();
    let head = [("name", trace.name.as_str().into()), ("why", trace.why.as_str().into())];
    let head = head.into_iter().chain(setup.iter().map(|(key, value)| (key.as_str(), value.clone())));
    let head: String = head.map(|(key, value): (_, Value)| format!("  \"{key}\": {value},\n")).collect();
    let steps: Vec<String> = trace.steps.iter().map(|step| serde_json::to_string(step).unwrap()).collect();
    format!("{{\n{head}  \"steps\": [\n    {}\n  ]\n}}\n", steps.join(",\n    "))
}
