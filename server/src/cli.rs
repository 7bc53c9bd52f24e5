//! The command line: flags, environment and configuration file, in this order of precedence.

#![allow(rustdoc::bare_urls, reason = "these comments are the help texts")]
#![allow(clippy::disallowed_methods, reason = "the environment is read here")]

mod auth;
mod data;
mod file;
mod health;
mod limits;
mod listen;
mod relay;
mod tls;
mod token;
mod webhook;

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::tls::TlsArgs;
use crate::{
    base_path::BasePath,
    client_address::TrustedProxy,
    config::{Config, OtlpEndpoint},
    duration,
    limits::Values,
    origin::Origin,
    telemetry::LogFormat,
};

/// WebRTC signaling server with rooms, a live item store and a page
///
/// Without a command it serves: open http://127.0.0.1:8001 and follow the page, or bring a peer into a room from a
/// terminal with `grtc-peer join room1`.
#[derive(Debug, Parser)]
#[command(
    name = "grtc-server",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Each option is also read from the environment, as GRTC_LISTEN, and from the file that --config names, \
                  as listen = \"127.0.0.1:8001\". A flag wins over the environment, the environment over the file.\n\n\
                  Exit codes: 0 stopped as asked; 1 it could not start, or a command failed; 2 the command line is wrong; \
                  70 a part of the server has ended, start it again; 130 a second signal while it was stopping."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until Ctrl-C or SIGTERM (what happens without a command)
    Serve(ServeArgs),
    /// Say whether the configuration can be run, without running it
    CheckConfig(ServeArgs),
    /// Print the configuration that would be run, as a file for --config
    PrintConfig(ServeArgs),
    /// Make keys and tokens, and look into them
    #[command(subcommand)]
    Token(token::TokenCommand),
    #[command(flatten)]
    Data(DataCommand),
    /// Ask a running server whether it is ready; exit code 0 if it is
    Health(HealthArgs),
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// The options of `serve`.
#[derive(Clone, Debug, Args)]
struct ServeArgs {
    /// Read options from this TOML file
    #[arg(long, env = "GRTC_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "GRTC_LISTEN", default_value_t = Config::default().listen, value_parser = listen::address, value_name = "ADDRESS")]
    listen: SocketAddr,
    #[command(flatten)]
    tls: TlsArgs,
    /// The SQLite database of the items, made if it is not there; sqlite::memory: forgets it all at the end
    #[arg(long, env = "GRTC_DATABASE_URL", default_value_t = Config::default().database_url, value_name = "URL")]
    database_url: String,
    /// The path that a proxy puts the server below and hands on, as /grtc; not needed where it takes the path away
    #[arg(long, env = "GRTC_BASE_PATH", default_value_t = Config::default().base_path, value_name = "PATH")]
    base_path: BasePath,
    /// An origin that browsers may come from, besides the server's own, as https://app.example.org; repeatable
    #[arg(long, env = "GRTC_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<Origin>,
    /// Listen beyond loopback without a key: anybody who reaches the port is in
    #[arg(long, env = "GRTC_INSECURE_OPEN", value_parser = clap::builder::BoolishValueParser::new())]
    insecure_open: bool,
    /// A STUN server that clients are told, as stun:stun.example.org:3478, or with --turn-secret-file a TURN server, as
    /// turn:turn.example.org:3478?transport=udp; repeatable. grtc-peer reads a variable of the same
    /// name: there it is what that peer uses
    #[arg(long, env = "GRTC_ICE_SERVER", value_name = "URL", value_delimiter = ',')]
    ice_server: Vec<String>,
    #[command(flatten)]
    relay: relay::RelayArgs,
    /// A proxy, or a network of them, that is believed what it says of a client's address in Forwarded or X-Forwarded-For, as
    /// 10.0.0.0/8; repeatable. Without it nobody is
    #[arg(long, env = "GRTC_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    trusted_proxy: Vec<TrustedProxy>,
    /// Each connection of a trusted proxy begins with a PROXY header, version 1 or 2, and is ended without one
    #[arg(long, env = "GRTC_PROXY_PROTOCOL", value_parser = clap::builder::BoolishValueParser::new())]
    proxy_protocol: bool,
    /// How long a client that asks for it may be away before it has left its room, as 120s or 2m; 0: nobody may
    #[arg(long, env = "GRTC_RESUME_GRACE", default_value = "120s", value_parser = duration::duration, value_name = "TIME")]
    resume_grace: Duration,
    #[command(flatten)]
    limits: Values,
    /// Address and port for Prometheus, which asks for /metrics there; without it nothing is told
    #[arg(long, env = "GRTC_METRICS_LISTEN", value_parser = listen::address, value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Tell a collector of OpenTelemetry a span for each request (OTLP over HTTP, protobuf), as http://127.0.0.1:4318; without it
    /// nothing is told
    #[arg(long, env = "GRTC_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<OtlpEndpoint>,
    /// Threads that serve; 0: one a core. On two cores, 1 relays signals with less delay and writes items more slowly
    #[arg(long, env = "GRTC_WORKERS", default_value_t = Config::default().workers, value_name = "N")]
    workers: usize,
    /// Serve the page from this folder instead of from the binary, for work on the page
    #[arg(long, env = "GRTC_WEB_DIR", value_name = "DIR")]
    web_dir: Option<PathBuf>,
    /// How to write the log to stderr; RUST_LOG says how much, as in RUST_LOG=debug
    #[arg(long, env = "GRTC_LOG_FORMAT", value_enum, default_value_t = Config::default().log_format, value_name = "FORMAT")]
    log_format: LogFormat,
    #[command(flatten)]
    auth: auth::AuthArgs,
    #[command(flatten)]
    webhook: webhook::WebhookArgs,
}

impl From<ServeArgs> for Config {
    fn from(args: ServeArgs) -> Self {
        Self {
            listen: args.listen,
            tls: args.tls.into(),
            database_url: args.database_url,
            base_path: args.base_path,
            allow_origin: args.allow_origin,
            insecure_open: args.insecure_open,
            ice_server: args.ice_server,
            relay: args.relay.into(),
            trusted_proxy: args.trusted_proxy,
            proxy_protocol: args.proxy_protocol,
            resume_grace: args.resume_grace,
            limits: args.limits,
            metrics_listen: args.metrics_listen,
            otlp_endpoint: args.otlp_endpoint,
            workers: args.workers,
            web_dir: args.web_dir,
            log_format: args.log_format,
            auth: args.auth.into(),
            webhook: args.webhook.into(),
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it, at the start")]
pub enum Task {
    /// Serve with this configuration.
    Serve(Box<Config>),
    /// Print this, and be done.
    Print(String),
    /// Ask whether a server is ready.
    Health(HealthArgs),
    /// Do something with keys or tokens.
    Token(TokenCommand),
    /// Do something with the database.
    Data(DataCommand),
}

/// Reads the command line. `--help` and unusable flags end the process, as clap has it (exit code 2).
///
/// # Errors
/// When the file can't be read, or the configuration can't be run.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> anyhow::Result<Task> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut command = file::without_empty_variables(Cli::command());
    let first = Cli::from_arg_matches(&command.clone().get_matches_from(&args)).unwrap_or_else(|error| error.exit());
    // The file's values take the place of the built-in defaults, so that flags and environment win over them.
    if let Some(path) = first.config() {
        command = file::apply(command, path).with_context(|| format!("configuration file {}", path.display()))?;
    }
    let matches = command.get_matches_from(&args);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    Ok(match cli.command {
        Some(Command::CheckConfig(args)) => {
            Config::from(args).check()?;
            Task::Print("the configuration is fine\n".to_owned())
        }
        Some(Command::PrintConfig(args)) => Task::Print(toml::to_string(&Config::from(args))?),
        Some(Command::Token(command)) => Task::Token(command),
        Some(Command::Data(command)) => Task::Data(command),
        Some(Command::Health(args)) => Task::Health(args),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "grtc-server", &mut script);
            // The script for bash names the command in two ways when there is a hyphen in it.
            Task::Print(String::from_utf8(script)?.replace("grtc__subcmd__server", "grtc__server"))
        }
        Some(Command::Serve(args)) => Task::Serve(Box::new(Config::from(args).check()?)),
        None => Task::Serve(Box::new(Config::from(cli.serve).check()?)),
    })
}

impl Cli {
    fn config(&self) -> Option<&PathBuf> {
        match &self.command {
            None => self.serve.config.as_ref(),
            Some(Command::Serve(args) | Command::CheckConfig(args) | Command::PrintConfig(args)) => {
                args.config.as_ref()
            }
            Some(Command::Data(command)) => command.config(),
            Some(Command::Health(_) | Command::Token(_) | Command::Completions { .. }) => None,
        }
    }
}

pub use data::DataCommand;
pub use health::{HealthArgs, health};
pub use token::TokenCommand;
