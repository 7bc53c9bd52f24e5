//! The one loop of a peer: signaling, connections, commands and timers meet here, and nowhere else.
//!
//! What the mesh says to do is done at once and never waited for: operations are commands to the connections' own tasks,
//! signals and events go into queues that this loop empties. While the program does not read its events, nothing more is
//! taken in from the other peers and the server.

mod pairs;
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

use self::{pairs::Pairs, wire::Frame};
use crate::{
    channel::Channels,
    event::{Event, Via},
    limits::{DRIVER_QUEUE, EVENT_QUEUE, GOODBYE_AHEAD},
    link::{Change, Session},
    mesh::{Mesh, Output, PairKey},
    negotiator::ConnectionNumber,
    report::PeerStatus,
    rtc,
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
    pub(crate) settings: Arc<rtc::Settings>,
    pub(crate) channels: Arc<Channels>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) tracker: TaskTracker,
    pub(crate) cancel: CancellationToken,
}

type FromConnection = (PairKey, ConnectionNumber, rtc::Event);

pub(crate) struct Driver {
    id: PeerId,
    room: RoomId,
    /// Everybody else in the room.
    roster: BTreeSet<PeerId>,
    session: Session,
    mesh: Mesh,
    pairs: Pairs,
    channels: Arc<Channels>,
    begin: Instant,
    /// Events that wait for the program to have room.
    events: VecDeque<Event>,
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
        let pairs =
            Pairs::new(start.settings, to_driver, start.events.clone(), start.tracker.clone(), start.cancel.clone());
        let mut driver = Self {
            mesh: Mesh::new(start.id.clone(), fastrand::Rng::new()),
            id: start.id,
            room: start.room,
            roster: BTreeSet::new(),
            session: start.session,
            pairs,
            channels: start.channels,
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
            let room = self.events.len() < EVENT_QUEUE && !self.session.is_congested();
            let tick = self.mesh.poll_timeout().map(|at| self.begin + Duration::from_millis(at));
            tokio::select! {
                () = cancel.cancelled() => break,
                permit = program.reserve(), if !self.events.is_empty() => {
                    let Some(event) = self.events.pop_front() else { continue };
                    let connected = matches!(event, Event::Connected { .. });
                    // A program that has dropped its events wants none.
                    if let Ok(permit) = permit {
                        permit.send(event);
                    }
                    if connected {
                        self.pairs.announced();
                    }
                }
                Some((key, connection, event)) = self.connections.recv(), if room => {
                    self.connection_event(&key, connection, event);
                }
                change = self.session.next(), if room => self.change(change),
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
        self.events.push_back(Event::Joined { peer_id: self.id.clone(), room_id: self.room.clone(), peers });
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Text(text) => self.frame(&text),
            Change::Reconnecting { attempt, delay } => self.events.push_back(Event::Reconnecting { attempt, delay }),
            Change::Ended(error) => {
                self.events.push_back(Event::Ended { code: error.code().to_owned(), message: error.to_string() });
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
                self.events.push_back(Event::PeerJoined { peer_id });
            }
            Some(Frame::PeerLeft(peer_id, reason)) => {
                self.roster.remove(&peer_id);
                self.events.push_back(Event::PeerLeft { peer_id: peer_id.clone(), reason });
                self.mesh.peer_left(now, &peer_id, reason);
            }
            Some(Frame::Signal(from, signal)) => self.mesh.signal(now, &from, signal),
            Some(Frame::Message(from, payload)) => {
                self.events.push_back(Event::Message { from, payload, via: Via::Relay });
            }
            // A signal crossed with the goodbye of its receiver. The server has said who left.
            Some(Frame::Error { code, .. }) if code == "peer_not_found" => {}
            Some(Frame::Error { code, message }) => self.events.push_back(Event::ServerError { code, message }),
            None => {}
        }
    }

    fn connection_event(&mut self, key: &PairKey, connection: ConnectionNumber, event: rtc::Event) {
        let now = self.now();
        if let Some(input) = self.pairs.event(key, connection, event) {
            self.mesh.input(now, key, input);
        }
        self.act();
    }

    /// Does what the mesh says.
    fn act(&mut self) {
        while let Some(output) = self.mesh.poll_output() {
            match output {
                Output::Act(key, action) => {
                    if let Some(message) = self.pairs.act(&key, action, &self.channels, &mut self.events) {
                        self.session.send(wire::encode(&key.peer, message));
                    }
                }
                Output::Removed(key) => self.pairs.remove(&key, &self.channels, &mut self.events),
            }
        }
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
        self.channels.clear();
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
        for event in self.events {
            // A program that does not read any more does not hold up the end.
            let _ = self.program.try_send(event);
        }
    }
}
