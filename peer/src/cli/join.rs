//! `grtc-peer join ROOM`

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;
use grtc_peer::{Event, Events, Peer, PeerId};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{
    Exit, delivery::Delivery, exit, expectation::Expectation, lines, options::Options, output::Output, text::duration,
};
use crate::status::Board;

pub(super) const EXAMPLES: &str = "\
Examples:
  grtc-peer join lobby --id A                     # talk; Ctrl-C leaves
  grtc-peer join lobby --id A --status 127.0.0.1:7900
  grtc-peer join ci --expect-peers 1 --send ping --expect pong --timeout 30s --json
  grtc-peer join lobby --server ws://chat.example.net:8001 --ice-server stun:stun.example.net:3478

A script ends as soon as all that it expects has come and all that it sent has been delivered. Messages go to
stdout, everything else to stderr; with --json one object a line goes to stdout.";

/// How long a script waits when nothing else is said.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Join a room.
#[derive(Debug, Args)]
pub(super) struct Join {
    #[command(flatten)]
    options: Options,

    /// The id to join under. Without it the server makes one.
    #[arg(long, env = "GRTC_ID")]
    id: Option<PeerId>,

    /// Wait until so many channels are open.
    #[arg(long, value_name = "N", help_heading = "For scripts")]
    expect_peers: Option<usize>,

    /// Send this to everybody, once the channels that are waited for are open. Repeatable.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "For scripts")]
    send: Vec<String>,

    /// Wait until a message with just this text has come. Repeatable.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "For scripts")]
    expect: Vec<String>,

    /// Give up after this long, e.g. 500ms, 30s or 2m [default: 30s with an expectation, else never]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "For scripts")]
    timeout: Option<Duration>,

    /// Print one JSON object a line on stdout, and nothing else there.
    #[arg(long, help_heading = "For scripts")]
    json: bool,

    /// Serve a page about this peer at this address: whom it is connected to and how, messages, log.
    #[arg(long, env = "GRTC_STATUS", value_name = "ADDRESS", help_heading = "Status page")]
    status: Option<SocketAddr>,

    /// Let the status page listen beyond loopback. It asks nobody who they are.
    #[arg(
        long,
        env = "GRTC_INSECURE_OPEN",
        value_parser = clap::builder::BoolishValueParser::new(),
        num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true",
        hide_default_value = true, hide_possible_values = true,
        help_heading = "Status page"
    )]
    insecure_open: bool,
}

impl Join {
    fn is_script(&self) -> bool {
        self.expect_peers.is_some() || !self.expect.is_empty()
    }

    pub(super) async fn run(self, started: std::time::Instant) -> Exit {
        let output = Output::new(self.json, started);
        let board = match self.board(&output).await {
            Ok(board) => board,
            Err(exit) => return exit,
        };
        let mut config = self.options.config();
        config.id.clone_from(&self.id);
        let joining = Peer::join(config);
        let joined = tokio::select! {
            joined = joining => joined,
            () = interrupted() => return Exit::Interrupted,
        };
        match joined {
            Ok((peer, events)) => Stay::new(self, output, board, Arc::new(peer)).run(events).await,
            Err(error) => {
                let exit = Exit::from(&error);
                let told = output.error(exit::code(&error), &error.to_string());
                let told = told.and_then(|()| output.done(false, &["the room was not joined".to_owned()]));
                if told.is_err() { Exit::Local } else { exit }
            }
        }
    }

    async fn board(&self, output: &Output) -> Result<Option<Arc<Board>>, Exit> {
        let Some(address) = self.status else { return Ok(None) };
        if !address.ip().is_loopback() && !self.insecure_open {
            let message = "the status page asks nobody who they are: beyond loopback it needs --insecure-open as well";
            let _ = output.error("usage", message);
            return Err(Exit::Usage);
        }
        match Board::serve(address, self.insecure_open).await {
            Ok((board, address)) => {
                output.notice("2", &format!("status page at http://{address}/"));
                Ok(Some(board))
            }
            Err(error) => {
                let _ = output.error("status_address", &format!("nothing can be served at {address}: {error}"));
                Err(Exit::Local)
            }
        }
    }
}

/// Being in the room.
struct Stay {
    script: bool,
    timeout: Option<Duration>,
    output: Output,
    board: Option<Arc<Board>>,
    peer: Arc<Peer>,
    expectation: Expectation,
    delivery: Delivery,
    somebody: Arc<Notify>,
    lines: Option<JoinHandle<()>>,
    /// The server ended the stay.
    ended: Option<Exit>,
}

impl Stay {
    fn new(join: Join, output: Output, board: Option<Arc<Board>>, peer: Arc<Peer>) -> Self {
        let script = join.is_script();
        if let Some(board) = &board {
            board.attach(&peer, &join.options.server.to_string());
        }
        Self {
            script,
            timeout: join.timeout.or(script.then_some(SCRIPT_TIMEOUT)),
            output,
            board,
            expectation: Expectation::new(join.expect_peers, join.expect),
            delivery: Delivery::new(Arc::clone(&peer), join.send),
            peer,
            somebody: Arc::default(),
            lines: None,
            ended: None,
        }
    }

    async fn run(mut self, mut events: Events) -> Exit {
        if !self.script {
            let sending = lines::send(Arc::clone(&self.peer), lines::read(), Arc::clone(&self.somebody));
            self.lines = Some(tokio::spawn(sending));
        }
        let exit = self.until_the_end(&mut events).await;
        if let Some(lines) = self.lines.take() {
            lines.abort();
        }
        tokio::select! {
            () = self.peer.leave() => {}
            // A second Ctrl-C does not wait for the goodbye.
            () = interrupted() => {}
        }
        let unmet = if self.script { self.unmet() } else { Vec::new() };
        match exit {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Well,
            Err(_) => Exit::Local,
            Ok(exit) => match self.output.done(exit == Exit::Well, &unmet) {
                Ok(()) => exit,
                Err(_) => Exit::Local,
            },
        }
    }

    async fn until_the_end(&mut self, events: &mut Events) -> io::Result<Exit> {
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let interrupt = interrupted();
        tokio::pin!(interrupt);
        loop {
            if self.script && self.unmet().is_empty() {
                return Ok(Exit::Well);
            }
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.event(&event)?,
                    None => return Ok(self.ended.unwrap_or(Exit::Signaling)),
                },
                () = self.delivery.progress() => {}
                () = &mut interrupt => return Ok(Exit::Interrupted),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Ok(if self.script { self.expectation.failure() } else { Exit::Well });
                }
            }
        }
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.output.event(event)?;
        if let Some(board) = &self.board {
            board.note(event);
        }
        match event {
            Event::Connected { .. } => self.somebody.notify_waiters(),
            Event::Ended { code, .. } => self.ended = Some(Exit::of_ended(code)),
            _ => {}
        }
        self.expectation.note(event);
        self.delivery.note(event, self.expectation.reached());
        Ok(())
    }

    fn unmet(&self) -> Vec<String> {
        let mut unmet = self.expectation.unmet();
        if !self.delivery.is_done() {
            unmet.push("not everything sent was delivered".to_owned());
        }
        unmet
    }
}

/// Resolves at Ctrl-C, or when the process is told to end.
pub(super) async fn interrupted() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return ctrl_c.await };
        tokio::select! {
            () = ctrl_c => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    ctrl_c.await;
}
