//! The command line: one file a command.

#![allow(clippy::disallowed_methods, reason = "the environment is read here")]

mod completions;
mod delivery;
mod exit;
mod expectation;
mod health;
mod join;
mod lines;
mod options;
mod output;
mod printer;
mod swarm;
mod token;
mod waiting;

use std::time::Instant;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, builder::Resettable, error::ErrorKind};
use tracing_subscriber::EnvFilter;

pub(crate) use self::exit::Exit;
use crate::stderr;

const EXIT_CODES: &str = "\
Exit codes:
  0    all well
  2    usage
  10   not authenticated or not allowed
  20   the signaling server can't be reached or refused the join
  30   ICE failed: no network path to a peer
  40   DTLS failed: no handshake over that path
  50   the data channel failed
  60   an expectation was not met in time
  70   a local file, disk or socket error
  130  interrupted";

/// A WebRTC peer for the terminal and for scripts.
///
/// It joins a room of a grtc server and opens a data channel to everybody in it, browsers included.
#[derive(Debug, Parser)]
#[command(name = "grtc-peer", version, after_help = EXIT_CODES, max_term_width = 110)]
struct Cli {
    /// How much to log, on stderr; with trace the WebRTC library's own lines as well.
    #[arg(long, global = true, value_enum, env = "GRTC_LOG_LEVEL", default_value = "warn")]
    log_level: LogLevel,
    /// What to log instead, as `tracing-subscriber` writes it, e.g. grtc_peer=debug,rtc_ice=trace.
    #[arg(long, global = true, env = "RUST_LOG", value_name = "FILTER", hide_env_values = true)]
    log_filter: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Join a room and talk: each line of stdin goes to everybody, what arrives is printed as "B: text".
    #[command(after_help = join::EXAMPLES)]
    Join(join::Join),
    /// Fill a room with many peers of this process, all connected with one another, and say how fast that went.
    #[command(after_help = swarm::EXAMPLES)]
    Swarm(swarm::Swarm),
    /// Ask the status page of a peer whether it is well; exit code 0 if it is.
    Health(health::Health),
    /// Print the completion script of a shell.
    Completions(completions::Completions),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Cli {
    /// It, if its options go together.
    fn checked(self) -> Result<Self, clap::Error> {
        let checked = match &self.command {
            Command::Join(join) => join.check(),
            Command::Swarm(swarm) => swarm.check(),
            Command::Health(_) | Command::Completions(_) => Ok(()),
        };
        checked.map(|()| self).map_err(|why| Self::command().error(ErrorKind::ValueValidation, why))
    }
}

/// Reads the command line and does what it says.
pub(crate) async fn run(started: Instant) -> Exit {
    let matches = without_empty_variables(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).and_then(Cli::checked).unwrap_or_else(|error| error.exit());
    log_to_stderr(cli.log_level, cli.log_filter.as_deref());
    match cli.command {
        Command::Join(join) => join.run(started).await,
        Command::Swarm(swarm) => swarm.run(started).await,
        Command::Health(health) => health.run().await,
        Command::Completions(completions) => completions.run(Cli::command()),
    }
}

/// A variable that is set to nothing is as good as none.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// This library prints what it sends and what comes: the token to come back with, and credentials of relays.
const SECRETS: &str = "tungstenite=warn,tokio_tungstenite=warn";

/// Below `trace` the library's own lines are left out: it reports every packet that can't be sent. They carry addresses, too.
fn log_to_stderr(level: LogLevel, asked: Option<&str>) {
    let filter = match level {
        LogLevel::Off => "off",
        LogLevel::Error => "off,grtc_peer=error",
        LogLevel::Warn => "off,grtc_peer=warn",
        LogLevel::Info => "off,grtc_peer=info",
        LogLevel::Debug => "off,grtc_peer=debug",
        LogLevel::Trace => "trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{},{SECRETS}", asked.unwrap_or(filter))))
        .with_writer(stderr::Writer::default)
        .with_ansi(output::is_colourful(&std::io::stderr()))
        .log_internal_errors(false)
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_says_what_a_variable_means_that_the_server_reads_too() {
        let help = Cli::command().find_subcommand_mut("join").unwrap().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("The variable is what this peer uses; grtc-server's of the same name is"), "{help}");
    }

    #[test]
    fn every_example_of_the_help_is_a_command_line() {
        for line in [join::EXAMPLES, swarm::EXAMPLES].join("\n").lines() {
            let Some((_, example)) = line.split_once("grtc-peer ") else { continue };
            let words = example.split_once("  #").map_or(example, |(command, _)| command).split_whitespace();
            let words = std::iter::once("grtc-peer").chain(words.map(|word| word.trim_matches('\'')));
            Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
}
