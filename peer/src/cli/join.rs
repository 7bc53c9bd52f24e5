//! `grtc-peer join ROOM`

mod patience;
mod stay;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;
use grtc_peer::{Peer, PeerId};
use tokio::time::timeout;

use self::{
    patience::Patience,
    stay::{Stay, Wanted},
};
use super::{
    Exit,
    exit::NotJoined,
    options::{Options, duration},
    output::Output,
    waiting::{LAST_LINES, joined},
};
use crate::status::{Board, routes};

pub(super) const EXAMPLES: &str = "\
Examples:
  grtc-peer join lobby --id A                     # talk; Ctrl-C leaves
  grtc-peer join lobby --id A --status 127.0.0.1:7900
  grtc-peer join ci --expect-peers 1 --send ping --expect pong --timeout 30s --json
  grtc-peer join ci --until-eof                   # send stdin, then end
  grtc-peer join lobby --server ws://chat.example.net:8001 --ice-server stun:stun.example.net:3478
  grtc-peer join team-1 --token-file token        # to a server with keys

Messages go to stdout, everything else to stderr; with --json one object a line goes to stdout.

A script (--send, --expect, --expect-peers, --until-eof) ends as soon as all that it expects has come and all that it sent
has been delivered: each text and line to at least one peer, and to everybody else who was connected by then: --expect-peers
N waits for N. Exit code 0 means that.

A message has at most 262,144 bytes. A line that is typed while nobody is connected goes to the first one who is.";

/// Join a room.
#[derive(Debug, Args)]
pub(super) struct Join {
    #[command(flatten)]
    options: Options,

    /// The id to join under. Without it the server makes one.
    #[arg(long, env = "GRTC_ID")]
    id: Option<PeerId>,

    /// Try again for so long while the id is taken, perhaps by an earlier self whose place the server still keeps.
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "id")]
    wait_for_id: Option<Duration>,

    /// A name that others see beside the id.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// A color that others see beside the id, as CSS writes it, e.g. "#0a0".
    #[arg(long, value_name = "COLOR")]
    color: Option<String>,

    /// Wait until so many channels are open.
    #[arg(long, value_name = "N", value_parser = at_least_one, help_heading = "For scripts")]
    expect_peers: Option<usize>,

    /// Send this to everybody, once the channels that are waited for are open, and end once it is delivered. Repeatable.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "For scripts")]
    send: Vec<String>,

    /// Wait until a message with just this text has come. Repeatable.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "For scripts")]
    expect: Vec<String>,

    /// Send each line of stdin to everybody, and end once all of it is delivered. A script without this does not read stdin.
    #[arg(long, help_heading = "For scripts")]
    until_eof: bool,

    /// Give up after this long, e.g. 500ms, 30s, "1h 30m" [default: 30s with an expectation; with --until-eof 30s without
    /// progress while a line or an expectation waits after the end of stdin; else never]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "For scripts")]
    timeout: Option<Duration>,

    /// Print one JSON object a line on stdout, and nothing else there.
    #[arg(long, help_heading = "For scripts")]
    json: bool,

    /// Serve a page about this peer at this address: whom it is connected to and how, messages, log.
    #[arg(long, env = "GRTC_STATUS", value_name = "ADDRESS", value_parser = address, help_heading = "Status page")]
    status: Option<SocketAddr>,

    /// Let the status page listen beyond loopback. It asks nobody who they are.
    #[arg(
        long,
        env = "GRTC_STATUS_INSECURE_OPEN",
        value_parser = clap::builder::BoolishValueParser::new(),
        num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true",
        hide_default_value = true, hide_possible_values = true,
        help_heading = "Status page"
    )]
    insecure_open: bool,
}

impl Join {
    pub(super) fn check(&self) -> Result<(), String> {
        self.options.check()
    }

    /// Whether it ends by itself.
    fn is_script(&self) -> bool {
        self.expect_peers.is_some() || !self.expect.is_empty() || !self.send.is_empty() || self.until_eof
    }

    fn wanted(self) -> Wanted {
        let script = self.is_script();
        Wanted { script, until_eof: self.until_eof, peers: self.expect_peers, texts: self.expect, send: self.send }
    }

    pub(super) async fn run(self, started: std::time::Instant) -> Exit {
        let output = Output::new(self.json, started);
        let patience = Patience::new(self.timeout, self.is_script(), self.until_eof);
        let board = match self.board(&output).await {
            Ok(board) => board,
            Err(exit) => return exit,
        };
        let mut config = self.options.config();
        config.id.clone_from(&self.id);
        config.wait_for_id = self.wait_for_id.unwrap_or_default();
        for (key, said) in [("name", &self.name), ("color", &self.color)] {
            config.metadata.extend(said.iter().map(|said| (key.to_owned(), said.as_str().into())));
        }
        let late = format!("{} did not let this peer in within the --timeout", self.options.server);
        let joining = async {
            config.token = self.options.token().await?;
            Ok(Peer::join(config).await?)
        };
        match joined(joining, patience.until(), late).await {
            Ok((peer, events)) => {
                let peer = Arc::new(peer);
                if let Some(board) = &board {
                    board.attach(&peer, &self.options.server.to_string());
                }
                Stay::new(self.wanted(), output, board, patience, peer).run(events).await
            }
            Err(why) => not_joined(&output, why).await,
        }
    }

    async fn board(&self, output: &Output) -> Result<Option<Arc<Board>>, Exit> {
        let Some(address) = self.status else { return Ok(None) };
        if !address.ip().is_loopback() && !self.insecure_open {
            let message = "the status page asks nobody who they are: beyond loopback it needs --insecure-open as well";
            return Err(not_joined(output, NotJoined::new("usage", message.to_owned(), Exit::Usage)).await);
        }
        let board = Board::new();
        match routes::serve(Arc::clone(&board), address, self.insecure_open).await {
            Ok(address) => match output.status(&format!("http://{address}/")).await {
                Ok(()) => Ok(Some(board)),
                Err(_) => Err(Exit::Local),
            },
            Err(error) => {
                let message = format!("nothing can be served at {address}: {error}");
                Err(not_joined(output, NotJoined::new("status_address", message, Exit::Local)).await)
            }
        }
    }
}

/// Says why there is no stay.
async fn not_joined(output: &Output, why: NotJoined) -> Exit {
    // Whoever closed stdout still gets the exit code.
    let _ = timeout(LAST_LINES, async {
        output.error(&why.code, None, &why.message).await?;
        output.done(false, &["the room was not joined".to_owned()]).await
    })
    .await;
    why.exit
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "it has to be a number from 1".to_owned())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it has to be an IP address and a port, such as 127.0.0.1:7900 or [::1]:7900".to_owned())
}
