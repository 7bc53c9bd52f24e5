//! `grtc-peer join ROOM`

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;
use grtc_peer::{Event, Events, PairState, Peer, PeerId, Stage};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    Exit,
    delivery::Delivery,
    exit::NotJoined,
    expectation::Expectation,
    lines,
    options::{Options, duration},
    output::Output,
    waiting::{interrupted, joined, reached},
};
use crate::status::{Board, routes};

pub(super) const EXAMPLES: &str = "\
Examples:
  grtc-peer join lobby --id A                     # talk; Ctrl-C leaves
  grtc-peer join lobby --id A --status 127.0.0.1:7900
  grtc-peer join ci --expect-peers 1 --send ping --expect pong --timeout 30s --json
  grtc-peer join lobby --server ws://chat.example.net:8001 --ice-server stun:stun.example.net:3478

Messages go to stdout, everything else to stderr; with --json one object a line goes to stdout.

A script ends as soon as all that it expects has come and all that it sent has been delivered to whoever was there.

A message has at most 262,144 bytes. A line that is typed while nobody is connected goes to the first one who is.";

/// How long a script waits when nothing else is said.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last lines may take to be read after the end was asked for.
const LAST_LINES: Duration = Duration::from_secs(1);
/// How long the peer may take to say what it is at.
const ANSWER: Duration = Duration::from_secs(1);
/// A pair that is not open after this long is stuck.
const STUCK: Duration = Duration::from_secs(4);
/// Lines that could not be sent and were not told of yet.
const PROBLEMS: usize = 16;

/// Join a room.
#[derive(Debug, Args)]
pub(super) struct Join {
    #[command(flatten)]
    options: Options,

    /// The id to join under. Without it the server makes one.
    #[arg(long, env = "GRTC_ID")]
    id: Option<PeerId>,

    /// Wait until so many channels are open.
    #[arg(long, value_name = "N", value_parser = at_least_one, help_heading = "For scripts")]
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
    #[arg(long, env = "GRTC_STATUS", value_name = "ADDRESS", value_parser = address, help_heading = "Status page")]
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
        let limit = self.timeout.or(self.is_script().then_some(SCRIPT_TIMEOUT));
        let deadline = limit.map(|limit| Instant::now() + limit);
        let board = match self.board(&output).await {
            Ok(board) => board,
            Err(exit) => return exit,
        };
        let mut config = self.options.config();
        config.id.clone_from(&self.id);
        let late = format!("{} did not let this peer in within the --timeout", self.options.server);
        match joined(Peer::join(config), deadline, late).await {
            Ok((peer, events)) => Stay::new(self, output, board, deadline, Arc::new(peer)).run(events).await,
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
        output.error(&why.code, &why.message).await?;
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

/// Being in the room.
struct Stay {
    script: bool,
    deadline: Option<Instant>,
    output: Output,
    board: Option<Arc<Board>>,
    peer: Arc<Peer>,
    expectation: Expectation,
    delivery: Delivery,
    /// Since when there is no open channel to a peer although one is being made.
    connecting: HashMap<PeerId, Instant>,
    somebody: Arc<Notify>,
    lines: Option<JoinHandle<()>>,
    /// The server ended the stay.
    ended: Option<Exit>,
}

impl Stay {
    fn new(join: Join, output: Output, board: Option<Arc<Board>>, deadline: Option<Instant>, peer: Arc<Peer>) -> Self {
        if let Some(board) = &board {
            board.attach(&peer, &join.options.server.to_string());
        }
        Self {
            script: join.is_script(),
            deadline,
            output,
            board,
            expectation: Expectation::new(join.expect_peers, join.expect),
            delivery: Delivery::new(Arc::clone(&peer), join.send),
            peer,
            connecting: HashMap::new(),
            somebody: Arc::default(),
            lines: None,
            ended: None,
        }
    }

    async fn run(mut self, mut events: Events) -> Exit {
        let (problem, problems) = mpsc::channel(PROBLEMS);
        if !self.script {
            let sending = lines::send(Arc::clone(&self.peer), lines::read(), Arc::clone(&self.somebody), problem);
            self.lines = Some(tokio::spawn(sending));
        }
        let interrupt = interrupted();
        tokio::pin!(interrupt);
        let deadline = self.deadline;
        let end = tokio::select! {
            end = self.until_the_end(&mut events, problems) => Some(end),
            () = &mut interrupt => Some(Ok(Exit::Interrupted)),
            () = reached(deadline) => None,
        };
        let exit = match end {
            Some(Ok(exit)) => exit,
            // Nobody reads any more: what else was asked for decides.
            Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => match self.script_unmet().is_empty() {
                true => Exit::Well,
                false => Exit::Unmet,
            },
            Some(Err(_)) => Exit::Local,
            None if self.script => {
                let _ = timeout(LAST_LINES, self.tell_of_the_stuck()).await;
                self.expectation.failure()
            }
            None => Exit::Well,
        };
        if let Some(lines) = self.lines.take() {
            lines.abort();
        }
        tokio::select! {
            () = self.peer.leave() => {}
            // A second Ctrl-C does not wait for the goodbye.
            () = interrupted() => {}
        }
        let unmet = self.script_unmet();
        let end = if exit == Exit::Interrupted { Some(Instant::now()) } else { deadline };
        tokio::select! {
            done = self.output.done(exit == Exit::Well, &unmet) => exit.after(done),
            () = interrupted() => Exit::Interrupted,
            () = reached(end.map(|end| end.max(Instant::now()) + LAST_LINES)) => exit,
        }
    }

    async fn until_the_end(
        &mut self,
        events: &mut Events,
        mut problems: mpsc::Receiver<lines::Problem>,
    ) -> io::Result<Exit> {
        loop {
            if self.script && self.script_unmet().is_empty() {
                return Ok(Exit::Well);
            }
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.event(&event).await?,
                    None => return Ok(self.ended.unwrap_or(Exit::Signaling)),
                },
                Some(problem) = problems.recv() => self.output.not_sent(problem.peer_id.as_ref(), &problem.message).await?,
                refused = self.delivery.progress() => if let Some((id, error)) = refused {
                    self.output.not_sent(Some(&id), &error.to_string()).await?;
                },
                error = self.output.failed() => return Err(error),
            }
        }
    }

    async fn event(&mut self, event: &Event) -> io::Result<()> {
        self.output.event(event).await?;
        if let Some(board) = &self.board {
            board.note(event);
        }
        match event {
            Event::Connecting { peer_id } => {
                self.connecting.entry(peer_id.clone()).or_insert_with(Instant::now);
            }
            Event::Connected { peer_id, .. } => {
                self.connecting.remove(peer_id);
                self.somebody.notify_waiters();
            }
            Event::PeerLeft { peer_id, .. } => {
                self.connecting.remove(peer_id);
            }
            Event::Ended { code, .. } => self.ended = Some(Exit::of_ended(code)),
            _ => {}
        }
        self.expectation.note(event);
        self.delivery.note(event, self.expectation.reached());
        Ok(())
    }

    /// At the end of the time: says where the pairs are stuck that are not open.
    async fn tell_of_the_stuck(&mut self) -> io::Result<()> {
        let status = timeout(ANSWER, self.peer.status()).await.unwrap_or_default();
        for pair in status.into_iter().filter(|pair| pair.state == Some(PairState::Connecting)) {
            let Some(stage) = pair.stage.filter(|stage| *stage != Stage::Signaling) else { continue };
            if self.connecting.get(&pair.peer_id).is_some_and(|since| since.elapsed() >= STUCK) {
                let message = format!("the time is over: {}", stage.explanation());
                self.event(&Event::Failed { peer_id: pair.peer_id, stage, message }).await?;
            }
        }
        Ok(())
    }

    /// What a script still waits for.
    fn script_unmet(&self) -> Vec<String> {
        if !self.script {
            return Vec::new();
        }
        let mut unmet = self.expectation.unmet();
        if !self.delivery.is_done() {
            unmet.push("not everything sent was delivered".to_owned());
        }
        unmet
    }
}
