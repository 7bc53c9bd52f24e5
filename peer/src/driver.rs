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
use serde_json::{Map, Value};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    pair::Output,
    pairs::Pairs,
    surroundings::{Surroundings, Telling},
    wire::{Frame, Metadata},
};
use crate::{
    backend::{FromConnection, RtcBackend},
    channels::Channels,
    event::{Event, Via},
    limits::{DRIVER_QUEUE, EVENT_QUEUE, GOODBYE_AHEAD, JUST_OPENED, SLEPT_LONG},
    link::session::{Change, Session},
    mesh::{Input, Mesh},
    network_watch::Changed,
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
    /// The first frame, a `room_state`.
    pub(crate) first: String,
    /// What this peer says about itself, if it does.
    pub(crate) metadata: Map<String, Value>,
    pub(crate) session: Session,
    pub(crate) backend: Arc<dyn RtcBackend>,
    pub(crate) channels: Arc<Channels>,
    pub(crate) events: mpsc::Sender<Event>,
    /// What changes around this peer.
    pub(crate) changes: mpsc::Receiver<Changed>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) tracker: TaskTracker,
    pub(crate) cancel: CancellationToken,
}

pub(crate) struct Driver {
    id: PeerId,
    room: RoomId,
    metadata: Metadata,
    session: Session,
    /// What comes of pairs is reported to the server, unless it has said that it does not know of that.
    reports: bool,
    mesh: Mesh,
    pairs: Pairs,
    begin: Instant,
    /// Events that wait for the program to have room.
    events: VecDeque<Telling>,
    program: mpsc::Sender<Event>,
    changes: mpsc::Receiver<Changed>,
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
            tracker: start.tracker.clone(),
            told: Vec::new(),
        };
        let mut driver = Self {
            mesh: Mesh::default(),
            pairs: Pairs::new(start.id.clone(), fastrand::Rng::new(), around),
            id: start.id,
            room: start.room,
            metadata: start.metadata,
            session: start.session,
            reports: true,
            begin: Instant::now(),
            events: VecDeque::new(),
            program: start.events,
            changes: start.changes,
            commands: start.commands,
            connections,
            tracker: start.tracker,
            cancel: start.cancel,
            ended: false,
        };
        driver.frame(&start.first);
        driver
    }

    /// Runs until it is cancelled or the server ends the stay.
    pub(crate) async fn run(mut self) {
        let (cancel, program) = (self.cancel.clone(), self.program.clone());
        while !self.ended {
            self.act();
            let takes_in = self.events.len() < EVENT_QUEUE;
            let takes_signals = takes_in && !self.session.is_congested();
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
                    for lets_through in telling.lets_through {
                        lets_through.send_replace(true);
                    }
                }
                Some(event) = self.connections.recv(), if takes_signals => self.pairs.event(self.now(), event),
                change = self.session.next(), if takes_in => self.change(change),
                Some(changed) = self.changes.recv() => self.surroundings_changed(&changed),
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

    fn joined(&mut self, peers: &[PeerId], recovered: Option<bool>, said: Vec<(PeerId, Metadata)>) {
        let (me, room_id) = (self.id.clone(), self.room.clone());
        self.tell(Event::Joined { peer_id: me.clone(), room_id, peers: peers.to_vec(), recovered });
        // Who has missed nothing is told by the frames that follow who came and went.
        if recovered != Some(true) {
            if !self.metadata.is_empty() {
                self.session.send(wire::encode_metadata(&self.metadata));
            }
            self.feed(Input::RoomState { me, peers: peers.to_vec() });
            for (peer_id, metadata) in said {
                self.tell(Event::PeerUpdated { peer_id, metadata });
            }
        }
        peers.iter().for_each(|peer| self.pairs.present(self.now(), peer));
    }

    fn surroundings_changed(&mut self, changed: &Changed) {
        tracing::debug!(slept = ?changed.slept, addresses = changed.addresses.len(), "something has changed around");
        self.session.changed();
        self.pairs.network_changed(self.now(), &changed.addresses, changed.slept > SLEPT_LONG);
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
            Change::Reconnecting { attempt, delay, why } => {
                self.tell(Event::Reconnecting { attempt, delay, why: why.to_string() });
            }
            Change::Ended(error) => {
                self.tell(Event::Ended { code: error.code().to_owned(), message: error.to_string() });
                self.ended = true;
            }
        }
    }

    fn frame(&mut self, text: &str) {
        match wire::parse(text) {
            Some(Frame::RoomState { peers, recovered, metadata }) => self.joined(&peers, recovered, metadata),
            Some(Frame::PeerUpdated(peer_id, metadata)) => self.tell(Event::PeerUpdated { peer_id, metadata }),
            Some(Frame::PeerAway(peer_id)) => self.tell(Event::PeerAway { peer_id }),
            Some(Frame::PeerBack(peer_id)) => {
                self.pairs.present(self.now(), &peer_id);
                self.tell(Event::PeerBack { peer_id });
            }
            Some(Frame::PeerJoined(peer)) => {
                self.tell(Event::PeerJoined { peer_id: peer.clone() });
                self.feed(Input::PeerJoined { peer: peer.clone() });
                self.pairs.present(self.now(), &peer);
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
            // An older server. Nothing else that is sent is unknown to any.
            Some(Frame::Error { code, .. }) if code == "unknown_type" && self.reports => self.reports = false,
            Some(Frame::Error { code, message }) => self.tell(Event::ServerError { code, message }),
            Some(Frame::Signal(..)) | None => {}
        }
    }

    /// Does what the pairs say.
    fn act(&mut self) {
        while let Some(output) = self.pairs.poll_output(self.now()) {
            match output {
                Output::Signal(peer, message) => self.session.send(wire::encode(&peer, message)),
                Output::Opened(peer) => self.feed(Input::Opened { peer }),
                Output::Lost(peer) => self.feed(Input::Lost { peer }),
                Output::Doubt => self.session.doubt(),
            }
        }
        for telling in self.pairs.told() {
            if let Some(report) = wire::encode_report(&telling.event)
                && self.reports
                && !self.session.is_congested()
            {
                self.session.send(report);
            }
            self.events.push_back(telling);
        }
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
        // Somebody who was connected a moment ago may not know it yet, and never would.
        let open_since = self.pairs.announced_last().map(|at| Duration::from_millis(now.saturating_sub(at)));
        sleep(open_since.map_or(Duration::ZERO, |since| JUST_OPENED.saturating_sub(since))).await;
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
