//! The one loop of a peer: signaling, connections, commands and timers meet here, and nowhere else.
//!
//! What the mesh and the pairs say to do is done at once and never waited for: operations are commands to the connections'
//! own tasks, signals and events go into queues that this loop empties. While the program does not read its events, nothing
//! more is taken in from the other peers and the server.

mod pair;
mod pairs;
mod surroundings;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use grtc_protocol::{PeerId, RoomId, server::LeaveReason};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    pair::Output,
    pairs::Pairs,
    surroundings::{Surroundings, Telling},
    wire::Frame,
};
use crate::{
    backend::{FromConnection, RtcBackend},
    channels::Channels,
    event::{Event, Via},
    limits::{DRIVER_QUEUE, EVENT_QUEUE, GOODBYE_AHEAD},
    link::session::{Change, Session},
    mesh::{Input, Mesh},
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
        let around = Surroundings {
            backend: start.backend,
            channels: start.channels,
            to_driver,
            inbox: start.events.clone(),
            leaving: start.cancel.clone(),
            told: Vec::new(),
        };
        let mut driver = Self {
            mesh: Mesh::default(),
            pairs: Pairs::new(start.id.clone(), fastrand::Rng::new(), around),
            id: start.id,
            room: start.room,
            session: start.session,
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
            let due = self.mesh.poll_timeout().into_iter().chain(self.pairs.poll_timeout()).min();
            let tick = due.map(|at| self.begin + Duration::from_millis(at));
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
                Some(event) = self.connections.recv(), if takes_in => self.pairs.event(self.now(), event),
                change = self.session.next(), if takes_in => self.change(change),
                Some(command) = self.commands.recv() => self.command(command),
                () = sleep_until(tick.unwrap_or_else(Instant::now)), if tick.is_some() => self.tick(),
            }
        }
        self.finish().await;
    }

    /// Milliseconds since the begin: the clock of the mesh and the pairs.
    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn joined(&mut self, peers: Vec<PeerId>) {
        let (me, room_id) = (self.id.clone(), self.room.clone());
        self.tell(Event::Joined { peer_id: me.clone(), room_id, peers: peers.clone() });
        self.feed(Input::RoomState { me, peers });
    }

    /// Tells the mesh, and does what it says.
    fn feed(&mut self, input: Input) {
        let now = self.now();
        for effect in self.mesh.handle(now, input) {
            self.pairs.apply(now, effect);
        }
    }

    fn tick(&mut self) {
        self.feed(Input::Tick);
        self.pairs.tick(self.now());
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
        match wire::parse(text) {
            Some(Frame::RoomState { peers }) => self.joined(peers),
            Some(Frame::PeerJoined(peer)) => {
                self.tell(Event::PeerJoined { peer_id: peer.clone() });
                self.feed(Input::PeerJoined { peer });
            }
            Some(Frame::PeerLeft(peer, reason)) => {
                self.tell(Event::PeerLeft { peer_id: peer.clone(), reason });
                self.feed(Input::PeerLeft { peer, reason: reason.unwrap_or(LeaveReason::Left) });
            }
            Some(Frame::Signal(from, signal)) if self.mesh.is_present(&from) => {
                self.pairs.handle(self.now(), &from, signal);
            }
            Some(Frame::Message(from, payload)) => {
                self.tell(Event::Message { from, payload, via: Via::Relay });
            }
            // A signal crossed with the goodbye of its receiver. The server has said who left.
            Some(Frame::Error { code, .. }) if code == "peer_not_found" => {}
            Some(Frame::Error { code, message }) => self.tell(Event::ServerError { code, message }),
            Some(Frame::Signal(..)) | None => {}
        }
    }

    /// Does what the pairs say.
    fn act(&mut self) {
        while let Some(output) = self.pairs.poll_output() {
            match output {
                Output::Signal(peer, message) => self.session.send(wire::encode(&peer, message)),
                Output::Opened(peer) => self.feed(Input::Opened { peer }),
                Output::Lost(peer) => self.feed(Input::Lost { peer }),
            }
        }
        self.events.extend(self.pairs.told());
    }

    fn tell(&mut self, event: Event) {
        self.events.push_back(event.into());
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Status(answer) => self.tracker.spawn(self.pairs.status(&self.mesh, answer)),
        };
    }

    /// Tells the server, closes every connection, and waits until all is closed.
    async fn finish(mut self) {
        let now = self.now();
        self.cancel.cancel();
        self.pairs.end_channels();
        drop(self.connections);
        self.session.leave().await;
        if self.pairs.any_open() {
            sleep(GOODBYE_AHEAD).await;
        }
        for effect in self.mesh.handle(now, Input::Leave) {
            self.pairs.apply(now, effect);
        }
        self.tracker.close();
        self.tracker.wait().await;
        for telling in self.events {
            // A program that does not read any more does not hold up the end.
            let _ = self.program.try_send(telling.event);
        }
    }
}
