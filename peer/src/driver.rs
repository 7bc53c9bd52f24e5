//! The one loop of a peer: signaling, connections, commands and timers meet here, and nowhere else.
//!
//! What the mesh says to do is done at once and never waited for: operations are commands to the connections' own tasks,
//! signals and events go into queues that this loop empties. While the program does not read its events, nothing more is
//! taken in from the other peers and the server.

mod pairs;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use grtc_protocol::{PeerId, RoomId};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    pairs::{Pairs, Telling},
    wire::Frame,
};
use crate::{
    backend::{FromConnection, RtcBackend},
    channels::Channels,
    event::{Event, Via},
    limits::{DRIVER_QUEUE, EVENT_QUEUE, GOODBYE_AHEAD},
    link::session::{Change, Session},
    mesh::{Mesh, Output},
    report::PeerStatus,
};

/// What the program asks of the driver.
pub(crate) enum Command {
    /// Who is there, and how it is reached.
    Status(oneshot::Sender<Vec<PeerStatus>>),
}

/// What a driver starts with.
pub(crate) struct Start {
    pub(crate) id: PeerId,
    pub(crate) room: RoomId,
    pub(crate) peers: Vec<PeerId>,
    pub(crate) session: Session,
    pub(crate) backend: Arc<dyn RtcBackend>,
    pub(crate) channels: Arc<Channels>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) tracker: TaskTracker,
    pub(crate) cancel: CancellationToken,
}

pub(crate) struct Driver {
    id: PeerId,
    room: RoomId,
    /// Everybody else in the room.
    roster: BTreeSet<PeerId>,
    session: Session,
    mesh: Mesh,
    pairs: Pairs,
    begin: Instant,
    /// Events that wait for the program to have room.
    events: VecDeque<Telling>,
    program: mpsc::Sender<Event>,
    commands: mpsc::Receiver<Command>,
    connections: mpsc::Receiver<FromConnection>,
    tracker: TaskTracker,
    cancel: CancellationToken,
    ended: bool,
}

impl Driver {
    pub(crate) fn new(start: Start) -> Self {
        let (to_driver, connections) = mpsc::channel(DRIVER_QUEUE);
        let pairs = Pairs::new(start.backend, start.channels, to_driver, start.events.clone(), start.cancel.clone());
        let mut driver = Self {
            mesh: Mesh::new(start.id.clone(), fastrand::Rng::new()),
            id: start.id,
            room: start.room,
            roster: BTreeSet::new(),
            session: start.session,
            pairs,
            begin: Instant::now(),
            events: VecDeque::new(),
            program: start.events,
            commands: start.commands,
            connections,
            tracker: start.tracker,
            cancel: start.cancel,
            ended: false,
        };
        driver.joined(start.peers);
        driver
    }

    /// Runs until it is cancelled or the server ends the stay.
    pub(crate) async fn run(mut self) {
        let (cancel, program) = (self.cancel.clone(), self.program.clone());
        while !self.ended {
            self.act();
            let takes_in = self.events.len() < EVENT_QUEUE && !self.session.is_congested();
            let tick = self.mesh.poll_timeout().map(|at| self.begin + Duration::from_millis(at));
            tokio::select! {
                () = cancel.cancelled() => break,
                permit = program.reserve(), if !self.events.is_empty() => {
                    let Some(telling) = self.events.pop_front() else { continue };
                    // A program that has dropped its events wants none.
                    if let Ok(permit) = permit {
                        permit.send(telling.event);
                    }
                    if let Some(deliver) = telling.deliver {
                        deliver.send_replace(true);
                    }
                }
                Some(event) = self.connections.recv(), if takes_in => self.connection_event(event),
                change = self.session.next(), if takes_in => self.change(change),
                Some(command) = self.commands.recv() => self.command(command),
                () = sleep_until(tick.unwrap_or_else(Instant::now)), if tick.is_some() => {
                    let now = self.now();
                    self.mesh.tick(now);
                }
            }
        }
        self.finish().await;
    }

    /// Milliseconds since the begin: the clock of the mesh.
    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn joined(&mut self, peers: Vec<PeerId>) {
        let now = self.now();
        self.roster = peers.iter().cloned().collect();
        self.mesh.roster(now, &peers);
        self.tell(Event::Joined { peer_id: self.id.clone(), room_id: self.room.clone(), peers });
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Text(text) => self.frame(&text),
            Change::Reconnecting { attempt, delay } => self.tell(Event::Reconnecting { attempt, delay }),
            Change::Ended(error) => {
                self.tell(Event::Ended { code: error.code().to_owned(), message: error.to_string() });
                self.ended = true;
            }
        }
    }

    fn frame(&mut self, text: &str) {
        let now = self.now();
        match wire::parse(text) {
            Some(Frame::RoomState { peers }) => self.joined(peers),
            Some(Frame::PeerJoined(peer_id)) => {
                self.roster.insert(peer_id.clone());
                self.mesh.peer_joined(now, &peer_id);
                self.tell(Event::PeerJoined { peer_id });
            }
            Some(Frame::PeerLeft(peer_id, reason)) => {
                self.roster.remove(&peer_id);
                self.tell(Event::PeerLeft { peer_id: peer_id.clone(), reason });
                self.mesh.peer_left(now, &peer_id, reason);
            }
            Some(Frame::Signal(from, signal)) => self.mesh.signal(now, &from, signal),
            Some(Frame::Message(from, payload)) => {
                self.tell(Event::Message { from, payload, via: Via::Relay });
            }
            // A signal crossed with the goodbye of its receiver. The server has said who left.
            Some(Frame::Error { code, .. }) if code == "peer_not_found" => {}
            Some(Frame::Error { code, message }) => self.tell(Event::ServerError { code, message }),
            None => {}
        }
    }

    fn connection_event(&mut self, (key, connection, event): FromConnection) {
        let now = self.now();
        if let Some(input) = self.pairs.event(&key, connection, event) {
            self.mesh.input(now, &key, input);
        }
    }

    /// Does what the mesh says.
    fn act(&mut self) {
        while let Some(output) = self.mesh.poll_output() {
            match output {
                Output::Act(key, action) => {
                    if let Some(message) = self.pairs.act(&key, action) {
                        self.session.send(wire::encode(&key.peer, message));
                    }
                }
                Output::Removed(key) => self.pairs.remove(&key),
            }
        }
        self.events.extend(self.pairs.told());
    }

    fn tell(&mut self, event: Event) {
        self.events.push_back(event.into());
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Status(answer) => self.tracker.spawn(self.pairs.status(self.roster.clone(), answer)),
        };
    }

    /// Tells the server, closes every connection, and waits until all is closed.
    async fn finish(mut self) {
        let now = self.now();
        self.cancel.cancel();
        self.pairs.end_channels();
        self.mesh.leave(now);
        while self.mesh.poll_output().is_some() {}
        drop(self.connections);
        self.session.leave().await;
        if self.pairs.any_open() {
            sleep(GOODBYE_AHEAD).await;
        }
        drop(self.pairs);
        self.tracker.close();
        self.tracker.wait().await;
        for telling in self.events {
            // A program that does not read any more does not hold up the end.
            let _ = self.program.try_send(telling.event);
        }
    }
}
