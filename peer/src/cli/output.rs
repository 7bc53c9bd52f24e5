//! What a command prints: one JSON object a line, or text for a person. Nothing but messages goes to stdout in text mode,
//! nothing but JSON with `--json`.

use std::{
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use grtc_peer::{Event, Payload, PeerId};
use serde_json::{Value, json};

use super::printer::{Line, Printer};
use crate::text::{escaped, escaped_json};

/// Where and how to print.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
    started: Instant,
    /// Colours on stdout and on stderr.
    colours: (bool, bool),
    printer: Printer,
    /// The room was joined before.
    joined: AtomicBool,
}

impl Output {
    pub(super) fn new(json: bool, started: Instant) -> Self {
        let colours = (is_colourful(&io::stdout()), is_colourful(&io::stderr()));
        Self { json, started, colours, printer: Printer::new(), joined: AtomicBool::new(false) }
    }

    /// An event of the room.
    ///
    /// # Errors
    /// When stdout is closed, as for all of these.
    pub(super) async fn event(&self, event: &Event) -> io::Result<()> {
        match self.json {
            true => self.line(as_json(event)).await,
            false => match self.text(event) {
                Some(line) => self.printer.line(line).await,
                None => Ok(()),
            },
        }
    }

    /// Something went wrong, perhaps with one peer.
    pub(super) async fn error(&self, code: &str, peer: Option<&PeerId>, message: &str) -> io::Result<()> {
        let mut object = json!({ "event": "error", "code": code, "message": message });
        if let Some(peer) = peer {
            object["peer_id"] = json!(peer);
        }
        match self.json {
            true => self.line(object).await,
            false => self.printer.line(self.failure(code, message)).await,
        }
    }

    /// The status page is served.
    pub(super) async fn status(&self, url: &str) -> io::Result<()> {
        match self.json {
            true => self.line(json!({ "event": "status", "url": url })).await,
            false => self.printer.line(self.notice("2", &format!("status page at {url}"))).await,
        }
    }

    /// The end of a command.
    pub(super) async fn done(&self, ok: bool, unmet: &[String]) -> io::Result<()> {
        if self.json {
            self.line(json!({ "event": "done", "ok": ok, "unmet": unmet })).await?;
        } else {
            for unmet in unmet {
                self.printer.line(self.notice("31", &format!("not met: {}", escaped(unmet)))).await?;
            }
        }
        self.printer.flush().await
    }

    /// Waits until stdout is closed, and says why.
    pub(super) async fn failed(&self) -> io::Error {
        self.printer.failed().await
    }

    /// A line for a person, on stderr.
    fn notice(&self, colour: &str, text: &str) -> Line {
        Line::Err(match self.colours.1 {
            true => format!("\x1b[{colour}m* {text}\x1b[0m"),
            false => format!("* {text}"),
        })
    }

    fn failure(&self, code: &str, message: &str) -> Line {
        self.notice("31", &format!("error ({code}): {}", escaped(message)))
    }

    /// An object on a line of its own, its `event` first and the time since the start after that.
    async fn line(&self, object: Value) -> io::Result<()> {
        let Value::Object(mut fields) = object else { return Ok(()) };
        let event = fields.remove("event").unwrap_or_default();
        let t_ms = ms(self.started.elapsed());
        let rest = Value::Object(fields).to_string();
        let line = match rest.strip_prefix('{') {
            Some(rest) if rest != "}" => format!(r#"{{"event":{event},"t_ms":{t_ms},{rest}"#),
            _ => format!(r#"{{"event":{event},"t_ms":{t_ms}}}"#),
        };
        self.printer.line(Line::Out(escaped_json(&line).into_owned())).await
    }

    fn text(&self, event: &Event) -> Option<Line> {
        let grey = |text: String| self.notice("2", &text);
        Some(match event {
            Event::Message { from, payload, .. } => self.message(from, payload),
            Event::Joined { peer_id, room_id, peers, recovered } => {
                grey(self.joined(peer_id, room_id.as_str(), peers, *recovered == Some(true)))
            }
            Event::PeerJoined { peer_id } => grey(format!("{} joined", name(peer_id))),
            Event::PeerLeft { peer_id, reason } => {
                grey(format!("{} left{}", name(peer_id), reason_of(event, reason.is_some())))
            }
            Event::PeerAway { peer_id } => grey(format!("{} has lost the server, and may come back", name(peer_id))),
            Event::PeerBack { peer_id } => grey(format!("{} is back", name(peer_id))),
            Event::Connected { peer_id, pair, timings } => self.notice(
                "32",
                &format!("connected to {} ({} to {}, {} ms)", name(peer_id), pair.local, pair.remote, timings.total),
            ),
            Event::Interrupted { peer_id, why } => self
                .notice("33", &format!("interrupted: {} ({}); what is sent waits for it", name(peer_id), escaped(why))),
            Event::Recovered { peer_id, gap } => {
                self.notice("32", &format!("{} is reached again after {} ms", name(peer_id), gap.as_millis()))
            }
            Event::Disconnected { peer_id } => self.notice("33", &format!("disconnected from {}", name(peer_id))),
            Event::Failed { peer_id, message, .. } => {
                self.notice("31", &format!("no connection to {}: {}", name(peer_id), escaped(message)))
            }
            Event::Refused { peer_id, message } => {
                self.notice("33", &format!("{}: {}", name(peer_id), escaped(message)))
            }
            Event::LocalFailure { peer_id, cause } => {
                self.failure(cause.code(), &format!("no connection to {peer_id}: {cause}"))
            }
            Event::Reconnecting { attempt, delay, why } => {
                let when = format!("attempt {attempt} in {} ms; open channels go on", delay.as_millis());
                self.notice("33", &format!("the server is gone ({}): {when}", escaped(why)))
            }
            Event::ServerError { code, message } | Event::Ended { code, message } => self.failure(code, message),
            _ => return None,
        })
    }

    fn joined(&self, me: &PeerId, room: &str, peers: &[PeerId], recovered: bool) -> String {
        let again = if self.joined.swap(true, Ordering::Relaxed) { "back in" } else { "in" };
        let company = match peers {
            _ if recovered => " and has missed nothing".to_owned(),
            [] => ": nobody else is here yet".to_owned(),
            others => format!(" with {}", others.iter().map(name).collect::<Vec<_>>().join(", ")),
        };
        format!("{} is {again} {}{company}", name(me), escaped(room))
    }

    fn message(&self, from: &PeerId, payload: &Payload) -> Line {
        let from = escaped(from.as_str());
        let text = match payload {
            Payload::Text(text) => escaped(text),
            Payload::Binary(bytes) => format!("[{} bytes]", bytes.len()).into(),
        };
        Line::Out(match self.colours.0 {
            true => format!("\x1b[1;36m{from}:\x1b[0m {text}"),
            false => format!("{from}: {text}"),
        })
    }
}

fn name(peer: &PeerId) -> String {
    escaped(peer.as_str()).into_owned()
}

/// Whether a stream takes colours: a terminal, unless `NO_COLOR` and its like say something else.
pub(super) fn is_colourful(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
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
        Event::Joined { peer_id, room_id, peers, recovered } => {
            let mut joined = json!({ "event": "joined", "peer_id": peer_id, "room_id": room_id, "peers": peers });
            if let Some(recovered) = recovered {
                joined["recovered"] = json!(recovered);
            }
            joined
        }
        Event::PeerJoined { peer_id } => json!({ "event": "peer_joined", "peer_id": peer_id }),
        Event::PeerLeft { peer_id, reason } => json!({ "event": "peer_left", "peer_id": peer_id, "reason": reason }),
        Event::Interrupted { peer_id, why } => json!({ "event": "interrupted", "peer_id": peer_id, "why": why }),
        Event::Recovered { peer_id, gap } => json!({ "event": "recovered", "peer_id": peer_id, "gap_ms": ms(*gap) }),
        Event::PeerAway { peer_id } => json!({ "event": "peer_away", "peer_id": peer_id }),
        Event::PeerBack { peer_id } => json!({ "event": "peer_back", "peer_id": peer_id }),
        Event::PeerUpdated { peer_id, metadata } => {
            json!({ "event": "peer_updated", "peer_id": peer_id, "metadata": metadata })
        }
        Event::Connecting { peer_id } => json!({ "event": "connecting", "peer_id": peer_id }),
        Event::Connected { peer_id, pair, timings } => {
            json!({ "event": "connected", "peer_id": peer_id, "pair": pair, "timings_ms": timings })
        }
        Event::Message { from, payload, via } => {
            let mut message = json!({ "event": "message", "from": from, "text": payload.as_text(), "via": via.word() });
            if let Payload::Binary(bytes) = payload {
                message["bytes"] = json!(bytes.len());
            }
            message
        }
        Event::Disconnected { peer_id } => json!({ "event": "disconnected", "peer_id": peer_id }),
        Event::Reconnecting { attempt, delay, why } => {
            json!({ "event": "reconnecting", "attempt": attempt, "delay_ms": ms(*delay), "why": why })
        }
        _ => error_as_json(event),
    }
}

fn error_as_json(event: &Event) -> Value {
    match event {
        Event::Failed { peer_id, stage, message } => {
            json!({ "event": "error", "code": stage.failure(), "message": message, "peer_id": peer_id })
        }
        Event::Refused { peer_id, message } => {
            json!({ "event": "error", "code": "description_refused", "message": message, "peer_id": peer_id })
        }
        Event::LocalFailure { peer_id, cause } => {
            json!({ "event": "error", "code": cause.code(), "message": cause.to_string(), "peer_id": peer_id })
        }
        Event::ServerError { code, message } | Event::Ended { code, message } => {
            json!({ "event": "error", "code": code, "message": message })
        }
        _ => Value::Null,
    }
}
