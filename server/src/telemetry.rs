//! The log: one line an event on stderr, for people or as JSON. `RUST_LOG` says how much, `docs/LOGGING.md` what is in it.

mod log_queue;
mod occasional;

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use clap::ValueEnum;
use serde::Serialize;
use tracing::error;
use tracing_subscriber::{
    EnvFilter,
    filter::{Directive, LevelFilter},
    fmt,
};

use self::log_queue::{Line, stderr};
pub(crate) use self::occasional::Occasional;

/// How the log is written to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people, in colours on a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// How long the end of the process waits for a reader of its last lines.
const FLUSH: Duration = Duration::from_secs(1);

/// Libraries whose `trace` has what peers say, and the names of rooms: silent at every level.
const SPEAKING: [&str; 3] = ["tungstenite", "tokio_tungstenite", "warp"];

fn silent(target: &str) -> Directive {
    format!("{target}=off").parse().unwrap_or_else(|_| LevelFilter::OFF.into())
}

/// What `RUST_LOG` asks for. Set to nothing, as container tools pass on what is not set at all, it says nothing.
#[allow(clippy::disallowed_methods, reason = "it has no flag")]
fn asked() -> Option<EnvFilter> {
    let text = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.trim().is_empty())?;
    EnvFilter::try_new(text).ok()
}

/// Sends the log to stderr, panics included. Call it once.
pub fn init(format: LogFormat) {
    // The database library logs each statement.
    let filter = asked().unwrap_or_else(|| EnvFilter::new("info,sqlx=warn,sea_orm=warn"));
    let filter = SPEAKING.into_iter().fold(filter, |filter, target| filter.add_directive(silent(target)));
    let log =
        fmt().with_env_filter(filter).with_writer(|| Line(stderr())).with_target(false).log_internal_errors(false);
    match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
    }
    // The standard library's own hook waits for the reader of stderr.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(code.place = place, error = panic.payload_as_str().unwrap_or_default(), "panicked");
    }));
}

/// Says something on stderr beside the log. It is written before the process ends only if [`flush`] is called.
pub fn say(text: &str) {
    stderr().push(format!("{text}\n").as_bytes());
}

/// Waits until what was logged and said is written, for a second at most: its reader may be gone or asleep.
pub fn flush() {
    stderr().flush(FLUSH);
}
