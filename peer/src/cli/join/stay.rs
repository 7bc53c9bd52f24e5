//! Being in a room.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use grtc_peer::{Event, Events, PairState, Peer, PeerId, Stage};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::patience::Patience;
use crate::{
    cli::{
        Exit,
        delivery::Delivery,
        expectation::Expectation,
        lines::{self, Problem, Progress},
        output::Output,
        waiting::{LAST_LINES, interrupted, reached},
    },
    status::Board,
};

/// How long the peer may take to say what it is at.
const ANSWER: Duration = Duration::from_secs(1);
/// A pair that is not open after this long is stuck.
const STUCK: Duration = Duration::from_secs(4);
/// What could not be sent and was not told of yet.
const PROBLEMS: usize = 16;

/// What a stay is for.
pub(super) struct Wanted {
    /// It ends by itself.
    pub(super) script: bool,
    pub(super) until_eof: bool,
    pub(super) peers: Option<usize>,
    pub(super) texts: Vec<String>,
    pub(super) send: Vec<String>,
}

/// A peer in its room, and what is waited for.
pub(super) struct Stay {
    script: bool,
    until_eof: bool,
    patience: Patience,
    output: Output,
    board: Option<Arc<Board>>,
    peer: Arc<Peer>,
    expectation: Expectation,
    delivery: Delivery<Peer>,
    /// Since when there is no open channel to a peer although one is being made.
    connecting: HashMap<PeerId, Instant>,
    somebody: Arc<Notify>,
    problem: mpsc::Sender<Problem>,
    problems: mpsc::Receiver<Problem>,
    /// Sends stdin, once it is time to.
    lines: Option<JoinHandle<()>>,
    progress: watch::Sender<Progress>,
    stdin: watch::Receiver<Progress>,
    /// The server ended the stay.
    ended: Option<Exit>,
}

impl Stay {
    pub(super) fn new(
        wanted: Wanted,
        output: Output,
        board: Option<Arc<Board>>,
        patience: Patience,
        peer: Arc<Peer>,
    ) -> Self {
        let (problem, problems) = mpsc::channel(PROBLEMS);
        let (progress, stdin) = watch::channel(Progress::default());
        Self {
            script: wanted.script,
            until_eof: wanted.until_eof,
            patience,
            output,
            board,
            expectation: Expectation::new(wanted.peers, wanted.texts),
            delivery: Delivery::new(Arc::clone(&peer), wanted.send, problem.clone()),
            peer,
            connecting: HashMap::new(),
            somebody: Arc::default(),
            problem,
            problems,
            lines: None,
            progress,
            stdin,
            ended: None,
        }
    }

    pub(super) async fn run(mut self, mut events: Events) -> Exit {
        let interrupt = interrupted();
        tokio::pin!(interrupt);
        let end = tokio::select! {
            end = self.until_the_end(&mut events) => end,
            () = &mut interrupt => Ok(Some(Exit::Interrupted)),
        };
        let exit = match end {
            Ok(Some(exit)) => exit,
            // Nobody reads any more: what else was asked for decides.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.verdict(),
            Err(_) => Exit::Local,
            Ok(None) => {
                if self.script {
                    let _ = timeout(LAST_LINES, self.tell_of_the_stuck()).await;
                }
                self.verdict()
            }
        };
        self.leave(exit).await
    }

    /// Says goodbye to the others, and what came of the stay.
    async fn leave(mut self, exit: Exit) -> Exit {
        if let Some(lines) = self.lines.take() {
            lines.abort();
        }
        tokio::select! {
            () = self.peer.leave() => {}
            // A second Ctrl-C does not wait for the goodbye.
            () = interrupted() => {}
        }
        let unmet = self.unmet();
        let end = if exit == Exit::Interrupted { Some(Instant::now()) } else { self.patience.until() };
        tokio::select! {
            done = self.output.done(exit == Exit::Well, &unmet) => exit.after(done),
            () = interrupted() => Exit::Interrupted,
            () = reached(end.map(|end| end.max(Instant::now()) + LAST_LINES)) => exit,
        }
    }

    /// `None` when the time is over.
    async fn until_the_end(&mut self, events: &mut Events) -> io::Result<Option<Exit>> {
        loop {
            if self.script && self.is_over() {
                return Ok(Some(self.verdict()));
            }
            self.read_stdin_when_it_is_time();
            let missing = self.missing();
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => {
                        if !in_time(self.patience, self.output.event(&event)).await? {
                            return Ok(None);
                        }
                        self.note(&event);
                    }
                    None => return Ok(Some(self.ended.unwrap_or(Exit::Signaling))),
                },
                Some(problem) = self.problems.recv() => {
                    let said = self.output.error(problem.code, problem.peer.as_ref(), &problem.message);
                    if !in_time(self.patience, said).await? {
                        return Ok(None);
                    }
                }
                Ok(()) = self.stdin.changed() => self.progressed(),
                () = self.delivery.progress() => {}
                () = reached(self.patience.until()) => return Ok(None),
                error = self.output.failed() => return Err(error),
            }
            if self.missing() != missing {
                self.progressed();
            }
        }
    }

    fn progressed(&mut self) {
        let waits = {
            let stdin = self.stdin.borrow();
            self.lines.is_none() || stdin.ended || stdin.waiting > 0
        };
        self.patience.progress(waits);
    }

    /// A script sends its texts first.
    fn read_stdin_when_it_is_time(&mut self) {
        let now = match self.script {
            true => self.until_eof && self.expectation.peers_came() && self.delivery.is_done(),
            false => true,
        };
        if now && self.lines.is_none() {
            let (peer, somebody) = (Arc::clone(&self.peer), Arc::clone(&self.somebody));
            let sender = lines::Sender::new(peer, somebody, self.problem.clone(), self.progress.clone());
            self.lines = Some(tokio::spawn(sender.run(lines::read())));
            self.progressed();
        }
    }

    fn note(&mut self, event: &Event) {
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
    }

    /// At the end of the time: says where the pairs are stuck that are not open.
    async fn tell_of_the_stuck(&mut self) -> io::Result<()> {
        let status = timeout(ANSWER, self.peer.status()).await.unwrap_or_default();
        for pair in status.into_iter().filter(|pair| pair.state == PairState::Connecting) {
            let Some(stage) = pair.stage.filter(|stage| *stage != Stage::Signaling) else { continue };
            if self.connecting.get(&pair.peer_id).is_some_and(|since| since.elapsed() >= STUCK) {
                let message = format!("the time is over: {}", stage.explanation());
                let failed = Event::Failed { peer_id: pair.peer_id, stage, message };
                self.output.event(&failed).await?;
                self.note(&failed);
            }
        }
        Ok(())
    }

    /// Whether a script has nothing more to wait for.
    fn is_over(&self) -> bool {
        self.missing() == 0 && (!self.until_eof || self.stdin.borrow().delivered)
    }

    /// How much was asked for and has not come, or was to be sent first and is not delivered.
    fn missing(&self) -> usize {
        self.expectation.missing() + usize::from(!self.delivery.is_done())
    }

    /// What was asked for and has not come, or was to be sent and is not delivered.
    fn unmet(&self) -> Vec<String> {
        let mut unmet = self.expectation.unmet();
        if !self.delivery.is_done() {
            unmet.push("not everything sent was delivered".to_owned());
        }
        let stdin = self.stdin.borrow();
        if self.until_eof && !stdin.ended {
            unmet.push("stdin was not read to its end".to_owned());
        }
        if stdin.broken {
            unmet.push("stdin could not be read".to_owned());
        }
        if stdin.waiting > 0 {
            unmet.push("not every line of stdin was delivered".to_owned());
        }
        if stdin.refused > 0 {
            unmet.push(format!("{} lines of stdin were too long for everybody", stdin.refused));
        }
        unmet
    }

    fn verdict(&self) -> Exit {
        match self.unmet().is_empty() {
            true => Exit::Well,
            false if self.stdin.borrow().broken => Exit::Local,
            false => self.expectation.failure(),
        }
    }
}

/// Whether it was printed while there was time: an output that nobody reads does not hold up the end.
async fn in_time(patience: Patience, printed: impl Future<Output = io::Result<()>>) -> io::Result<bool> {
    tokio::select! {
        printed = printed => printed.map(|()| true),
        () = reached(patience.until()) => Ok(false),
    }
}
