//! What a command prints: one JSON object a line, or text for a person. Nothing but messages goes to stdout in text mode,
//! nothing but JSON with `--json`.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use grtc_peer::{Event, Payload, PeerId};
use serde_json::{Value, json};

use super::text::escaped;

/// Where and how to print.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
    started: Instant,
    /// Colours on stdout and on stderr.
    colours: (bool, bool),
}

impl Output {
    pub(super) fn new(json: bool, started: Instant) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let colours = (wanted && io::stdout().is_terminal(), wanted && io::stderr().is_terminal());
        Self { json, started, colours }
    }

    /// An event of the room.
    pub(super) fn event(&self, event: &Event) -> io::Result<()> {
        match self.json {
            true => self.line(as_json(event)),
            false => self.text(event),
        }
    }

    /// Something went wrong. `peer` says with whom.
    pub(super) fn error(&self, code: &str, message: &str) -> io::Result<()> {
        match self.json {
            true => self.line(json!({ "event": "error", "code": code, "message": message })),
            false => {
                self.notice("31", &format!("error ({code}): {}", escaped(message)));
                Ok(())
            }
        }
    }

    /// The end of a command.
    pub(super) fn done(&self, ok: bool, unmet: &[String]) -> io::Result<()> {
        match self.json {
            true => self.line(json!({ "event": "done", "ok": ok, "unmet": unmet })),
            false => {
                for unmet in unmet {
                    self.notice("31", &format!("not met: {}", escaped(unmet)));
                }
                Ok(())
            }
        }
    }

    /// A line for a person, on stderr.
    pub(super) fn notice(&self, colour: &str, text: &str) {
        if !self.json {
            // Nobody to tell when stderr is closed.
            let _ = match self.colours.1 {
                true => writeln!(io::stderr(), "\x1b[{colour}m* {text}\x1b[0m"),
                false => writeln!(io::stderr(), "* {text}"),
            };
        }
    }

    /// An object on a line of its own, its `event` first and the time since the start after that.
    fn line(&self, object: Value) -> io::Result<()> {
        let Value::Object(mut fields) = object else { return Ok(()) };
        let event = fields.remove("event").unwrap_or_default();
        let t_ms = ms(self.started.elapsed());
        let rest = Value::Object(fields).to_string();
        match rest.strip_prefix('{') {
            Some(rest) if rest != "}" => print(&format!(r#"{{"event":{event},"t_ms":{t_ms},{rest}"#)),
            _ => print(&format!(r#"{{"event":{event},"t_ms":{t_ms}}}"#)),
        }
    }

    fn text(&self, event: &Event) -> io::Result<()> {
        let grey = |text: String| self.notice("2", &text);
        let name = |peer: &PeerId| escaped(peer.as_str()).into_owned();
        match event {
            Event::Message { from, payload, .. } => return self.message(from, payload),
            Event::Joined { peer_id, room_id, peers } if peers.is_empty() => {
                grey(format!("{} is in {}: nobody else is here yet", name(peer_id), escaped(room_id.as_str())));
            }
            Event::Joined { peer_id, room_id, peers } => {
                let others: Vec<String> = peers.iter().map(name).collect();
                grey(format!("{} is in {} with {}", name(peer_id), escaped(room_id.as_str()), others.join(", ")));
            }
            Event::PeerJoined { peer_id } => grey(format!("{} joined", name(peer_id))),
            Event::PeerLeft { peer_id, reason } => {
                grey(format!("{} left{}", name(peer_id), reason_of(event, reason.is_some())));
            }
            Event::Connected { peer_id, pair, timings } => self.notice(
                "32",
                &format!("connected to {} ({} to {}, {} ms)", name(peer_id), pair.local, pair.remote, timings.total),
            ),
            Event::Disconnected { peer_id } => self.notice("33", &format!("disconnected from {}", name(peer_id))),
            Event::Failed { peer_id, message, .. } => {
                self.notice("31", &format!("no connection to {}: {}", name(peer_id), escaped(message)));
            }
            Event::Reconnecting { attempt, delay } => self.notice(
                "33",
                &format!("the server is gone: attempt {attempt} in {} ms; open channels go on", delay.as_millis()),
            ),
            Event::ServerError { code, message } | Event::Ended { code, message } => return self.error(code, message),
            _ => {}
        }
        Ok(())
    }

    fn message(&self, from: &PeerId, payload: &Payload) -> io::Result<()> {
        let from = escaped(from.as_str());
        let text = match payload {
            Payload::Text(text) => escaped(text),
            Payload::Binary(bytes) => format!("[{} bytes]", bytes.len()).into(),
        };
        match self.colours.0 {
            true => print(&format!("\x1b[1;36m{from}:\x1b[0m {text}")),
            false => print(&format!("{from}: {text}")),
        }
    }
}

/// A line on stdout.
pub(super) fn print(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Milliseconds with one decimal.
pub(super) fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

fn reason_of(event: &Event, known: bool) -> String {
    match (known, &as_json(event)["reason"]) {
        (true, Value::String(reason)) => format!(" ({reason})"),
        _ => String::new(),
    }
}

/// The event as `docs/PROTOCOL.md` describes it.
pub(crate) fn as_json(event: &Event) -> Value {
    match event {
        Event::Joined { peer_id, room_id, peers } => {
            json!({ "event": "joined", "peer_id": peer_id, "room_id": room_id, "peers": peers })
        }
        Event::PeerJoined { peer_id } => json!({ "event": "peer_joined", "peer_id": peer_id }),
        Event::PeerLeft { peer_id, reason } => json!({ "event": "peer_left", "peer_id": peer_id, "reason": reason }),
        Event::Connecting { peer_id } => json!({ "event": "connecting", "peer_id": peer_id }),
        Event::Connected { peer_id, pair, timings } => {
            json!({ "event": "connected", "peer_id": peer_id, "pair": pair, "timings_ms": timings })
        }
        Event::Message { from, payload: Payload::Text(text), via } => {
            json!({ "event": "message", "from": from, "text": text, "via": via.word() })
        }
        Event::Message { from, payload: Payload::Binary(bytes), via } => {
            json!({ "event": "message", "from": from, "text": null, "bytes": bytes.len(), "via": via.word() })
        }
        Event::Disconnected { peer_id } => json!({ "event": "disconnected", "peer_id": peer_id }),
        Event::Failed { peer_id, stage, message } => {
            json!({ "event": "error", "code": stage.failure(), "message": message, "peer_id": peer_id })
        }
        Event::Reconnecting { attempt, delay } => {
            json!({ "event": "reconnecting", "attempt": attempt, "delay_ms": ms(*delay) })
        }
        Event::ServerError { code, message } | Event::Ended { code, message } => {
            json!({ "event": "error", "code": code, "message": message })
        }
        _ => Value::Null,
    }
}
