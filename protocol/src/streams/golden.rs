//! The golden traces that the page's session replays too.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Output, Read, Session, StreamId};
use crate::golden::replay;

#[derive(Serialize, Deserialize)]
struct Setup {
    session: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Data {
    Text(String),
    Count(usize),
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Outcome {
    #[serde(skip_serializing_if = "Value::is_null")]
    gives: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Output>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sends: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    datagrams: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
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

fn done(session: &mut Session, step: &Step) -> Step {
    let Step { now, action, full, .. } = step;
    let gives = act(session, *now, action.clone());
    let polls = if *full { 0 } else { usize::MAX };
    let outcome = Outcome {
        gives,
        outputs: std::iter::from_fn(|| session.poll_output()).collect(),
        sends: std::iter::from_fn(|| session.poll_transmit()).take(polls).map(|message| shown(&message)).collect(),
        datagrams: std::iter::from_fn(|| session.poll_datagram()).take(polls).map(|bytes| shown(&bytes)).collect(),
        timeout: session.poll_timeout(),
    };
    Step { now: *now, action: action.clone(), full: *full, outcome }
}

#[test]
fn golden_traces_are_what_the_session_does() {
    replay("streams", 16, |setup: &Setup, steps: &[Step]| {
        let mut session = Session::new(from_hex(&setup.session).try_into().unwrap());
        steps.iter().map(|step| done(&mut session, step)).collect()
    });
}
