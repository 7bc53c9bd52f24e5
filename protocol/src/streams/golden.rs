//! Replays the golden traces that the page's session replays too.
//!
//! After a change that is meant, `GRTC_BLESS=1 cargo test -p grtc-protocol golden` writes what the machine does now into
//! the traces: read the difference before committing it.

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Output, Read, Session, StreamId};

#[derive(Serialize, Deserialize)]
struct Trace {
    name: String,
    why: String,
    session: String,
    steps: Vec<Step>,
}

#[derive(Serialize, Deserialize)]
struct Step {
    now: u64,
    #[serde(rename = "do")]
    action: Do,
    /// The connection takes nothing now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    full: bool,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Do {
    Connected,
    Disconnected,
    Timeout,
    ReadDatagram,
    Open(String),
    Close(String),
    Receive(String),
    ReceiveDatagram(String),
    Write { stream: StreamId, data: Data },
    SendDatagram { stream: StreamId, data: Data },
    Read { stream: StreamId, most: usize },
    Finish { stream: StreamId },
    Reset { stream: StreamId, code: u64, reason: String },
    Stop { stream: StreamId, code: u64, reason: String },
}

/// A text, or so many bytes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Data {
    Text(String),
    Count(usize),
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Outcome {
    gives: Value,
    outputs: Vec<Output>,
    sends: Vec<String>,
    datagrams: Vec<String>,
    timeout: Option<u64>,
}

impl Data {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Count(count) => (0..*count).map(|at| (at % 251) as u8).collect(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `04ff:3` is `04ff000000`.
fn from_hex(text: &str) -> Vec<u8> {
    let (text, zeros) = text.split_once(':').unwrap_or((text, "0"));
    let bytes = (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap());
    bytes.chain(std::iter::repeat_n(0, zeros.parse().unwrap())).collect()
}

/// The bytes, or of many the first, how many more there are, and a sum of all (FNV-1a).
fn shown(bytes: &[u8]) -> String {
    if bytes.len() <= 64 {
        return hex(bytes);
    }
    let sum = bytes.iter().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    format!("{}+{}:{sum:08x}", hex(&bytes[..24]), bytes.len() - 24)
}

fn given<T: Serialize, E: Serialize>(result: Result<T, E>) -> Value {
    match result {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error }),
    }
}

fn act(session: &mut Session, now: u64, action: Do) -> Value {
    match action {
        Do::Connected => session.connected(),
        Do::Disconnected => session.disconnected(),
        Do::Timeout => session.handle_timeout(now),
        Do::ReadDatagram => {
            return session.read_datagram().map_or(Value::Null, |(id, bytes)| json!([id, shown(&bytes)]));
        }
        Do::Open(label) => return given(session.open(&label)),
        Do::Close(reason) => session.close(&reason),
        Do::Receive(message) => session.receive(&from_hex(&message)),
        Do::ReceiveDatagram(message) => session.receive_datagram(&from_hex(&message)),
        Do::Write { stream, data } => return given(session.write(now, stream, &data.bytes())),
        Do::SendDatagram { stream, data } => return given(session.send_datagram(stream, &data.bytes())),
        Do::Read { stream, most } => {
            return match session.read(now, stream, most) {
                None => Value::Null,
                Some(Read::End) => json!("end"),
                Some(Read::Bytes(bytes)) => json!({ "bytes": shown(&bytes) }),
            };
        }
        Do::Finish { stream } => session.finish(stream),
        Do::Reset { stream, code, reason } => session.reset(stream, code, &reason),
        Do::Stop { stream, code, reason } => session.stop(stream, code, &reason),
    }
    Value::Null
}

fn replay(trace: &Trace) -> Vec<Outcome> {
    let mut session = Session::new(from_hex(&trace.session).try_into().unwrap());
    let step = |step: &Step| {
        let gives = act(&mut session, step.now, step.action.clone());
        let polls = if step.full { 0 } else { usize::MAX };
        Outcome {
            gives,
            outputs: std::iter::from_fn(|| session.poll_output()).collect(),
            sends: std::iter::from_fn(|| session.poll_transmit()).take(polls).map(|message| shown(&message)).collect(),
            datagrams: std::iter::from_fn(|| session.poll_datagram()).take(polls).map(|bytes| shown(&bytes)).collect(),
            timeout: session.poll_timeout(),
        }
    };
    trace.steps.iter().map(step).collect()
}

/// One step a line, so that a difference can be read. What is empty is left out.
fn write(trace: &Trace) -> String {
    let line = |step: &Step| {
        let parts = serde_json::to_value(step).unwrap();
        let parts = ["now", "do", "full", "gives", "outputs", "sends", "datagrams", "timeout"]
            .into_iter()
            .filter(|name| !matches!(&parts[name], Value::Null) && parts[name] != json!([]))
            .map(|name| format!("\"{name}\":{}", parts[name]));
        format!("    {{{}}}", parts.collect::<Vec<_>>().join(","))
    };
    let steps: Vec<String> = trace.steps.iter().map(line).collect();
    let [name, why, session] = [&trace.name, &trace.why, &trace.session].map(|text| json!(text));
    format!(
        "{{\n  \"name\": {name},\n  \"why\": {why},\n  \"session\": {session},\n  \"steps\": [\n{}\n  ]\n}}\n",
        steps.join(",\n")
    )
}

#[test]
fn golden_traces_are_what_the_machine_does() {
    #[allow(clippy::disallowed_methods, reason = "a switch of the test's own")]
    let bless = std::env::var_os("GRTC_BLESS").is_some();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/streams");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 16, "the traces are not all there");
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let mut trace: Trace = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(Some(trace.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()), "{path:?}");
        let outcome = replay(&trace);
        if bless {
            trace.steps.iter_mut().zip(outcome).for_each(|(step, outcome)| step.outcome = outcome);
            fs::write(&path, write(&trace)).unwrap();
            continue;
        }
        for (at, (step, outcome)) in trace.steps.iter().zip(outcome).enumerate() {
            assert_eq!(outcome, step.outcome, "{}, step {at}", trace.name);
        }
    }
}
