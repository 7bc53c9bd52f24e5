//! A signaling server in memory, for peers in the same process.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test support module")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use grtc_peer::{
    Config, Event, Events, Incoming, Join, LinkEnds, LinkError, Network, Outgoing, Peer, PeerId, SignalLink,
};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

/// One room.
#[derive(Clone, Default)]
pub(crate) struct Hub(Arc<Mutex<Room>>, Arc<Notify>);

#[derive(Default)]
struct Room {
    members: BTreeMap<String, (u64, mpsc::Sender<Incoming>)>,
    links: u64,
    /// What the next links are refused with.
    refusals: Vec<LinkError>,
    /// Signals of this type are lost.
    lost: Option<&'static str>,
    /// Everybody is told that these are there, and what is sent to them waits for them.
    expected: Vec<String>,
    waiting: Vec<(String, Value)>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap()
    }

    /// Joins under this id, on loopback.
    pub(crate) async fn join(&self, id: &str) -> (Peer, Events) {
        let config = config(id);
        Peer::join_over(config, Arc::new(self.clone())).await.unwrap()
    }

    /// `a` and `b` with an open channel, of which both know.
    pub(crate) async fn pair(&self) -> ((Peer, Events), (Peer, Events)) {
        let (mut a, mut b) = (self.join("a").await, self.join("b").await);
        connected(&mut a.1, "b").await;
        connected(&mut b.1, "a").await;
        (a, b)
    }

    /// The next links are refused with these, the last first.
    pub(crate) fn refuse(&self, refusals: Vec<LinkError>) {
        self.lock().refusals = refusals;
    }

    /// Tells everybody that these are in the room before they are, so that all of them offer.
    pub(crate) fn expect(&self, ids: &[&str]) {
        self.lock().expected = ids.iter().map(|id| (*id).to_owned()).collect();
    }

    /// Loses all signals of this type.
    pub(crate) fn lose(&self, kind: Option<&'static str>) {
        self.lock().lost = kind;
    }

    /// Cuts the link of this peer; the others are told that it is lost.
    pub(crate) fn cut(&self, id: &str) {
        self.end(id, LinkError::Unreachable("cut".to_owned()), "lost");
    }

    /// Closes the link of this peer.
    pub(crate) fn close(&self, id: &str, code: u16) {
        self.end(id, LinkError::Closed { code, message: "closed".to_owned() }, "kicked");
    }

    /// Ends the connection of this peer with that one, by an offer in that one's name that can't be used.
    pub(crate) fn break_connection(&self, id: &str, other: &str) {
        let offer = json!({"type":"offer","target_peer_id":id,"offer":{"type":"offer","sdp":"v=0"},"attempt":"forged"});
        self.lock().tell(id, &json!({"type":"webrtc_signal","from_peer_id":other,"signal":offer,"timestamp":"t"}));
    }

    /// Forgets everybody at once, without telling anybody of anybody.
    pub(crate) fn restart(&self) {
        let members = std::mem::take(&mut self.lock().members);
        for (_, link) in members.into_values() {
            let _ = link.try_send(Incoming::End(LinkError::Closed { code: 1012, message: "restart".to_owned() }));
        }
    }

    /// Waits until a signal was lost.
    pub(crate) async fn one_was_lost(&self) {
        self.1.notified().await;
    }

    pub(crate) fn members(&self) -> Vec<String> {
        self.lock().members.keys().cloned().collect()
    }

    fn end(&self, id: &str, error: LinkError, reason: &str) {
        let mut room = self.lock();
        let (_, link) = room.members.remove(id).unwrap();
        link.try_send(Incoming::End(error)).unwrap();
        room.tell_left(id, reason);
    }

    /// Takes what comes from a peer until its link ends.
    async fn serve(self, id: String, number: u64, mut frames: mpsc::Receiver<Outgoing>) {
        loop {
            match frames.recv().await {
                Some(Outgoing::Text(text)) => self.frame(&id, &text),
                // It lives.
                Some(Outgoing::Probe(_)) => {}
                Some(Outgoing::Leave) | None => break,
            }
        }
        let mut room = self.lock();
        if room.members.get(&id).is_some_and(|(current, _)| *current == number) {
            room.members.remove(&id);
            room.tell_left(&id, "left");
        }
    }

    fn frame(&self, from: &str, text: &str) {
        let signal: Value = serde_json::from_str(text).unwrap();
        let kind = signal["type"].as_str().unwrap();
        let mut room = self.lock();
        if room.lost == Some(kind) {
            self.1.notify_one();
        } else {
            // What is for nobody is for the server: a report.
            let Some(to) = signal["target_peer_id"].as_str() else { return };
            let frame = json!({"type":"webrtc_signal","from_peer_id":from,"signal":signal,"timestamp":"t"});
            match room.members.contains_key(to) {
                true => room.tell(to, &frame),
                false => room.waiting.push((to.to_owned(), frame)),
            }
        }
    }
}

impl Room {
    fn tell(&self, id: &str, message: &Value) {
        if let Some((_, link)) = self.members.get(id) {
            link.try_send(Incoming::Text(message.to_string())).unwrap();
        }
    }

    fn tell_all(&self, message: &Value) {
        for id in self.members.keys() {
            self.tell(id, message);
        }
    }

    fn tell_left(&self, id: &str, reason: &str) {
        let total = self.members.len();
        self.tell_all(&json!({"type":"peer_left","peer_id":id,"timestamp":"t","total_peers":total,"reason":reason}));
    }
}

#[async_trait::async_trait]
impl SignalLink for Hub {
    async fn open(&self, join: &Join) -> Result<LinkEnds, LinkError> {
        let id = join.id.as_ref().unwrap().to_string();
        let (outgoing, frames) = mpsc::channel(64);
        let (link, incoming) = mpsc::channel(4096);
        let mut room = self.lock();
        if let Some(refusal) = room.refusals.pop() {
            return Err(refusal);
        }
        if room.members.contains_key(&id) {
            return Err(LinkError::Closed { code: 4409, message: "taken".to_owned() });
        }
        let mut peers: Vec<&String> = room.members.keys().collect();
        peers.extend(room.expected.iter().filter(|peer| **peer != id && !room.members.contains_key(*peer)));
        let state = json!({"type":"room_state","peers":peers,"your_peer_id":id});
        link.try_send(Incoming::Text(state.to_string())).unwrap();
        let total = room.members.len() + 1;
        room.tell_all(&json!({"type":"peer_joined","peer_id":id,"timestamp":"t","total_peers":total}));
        room.links += 1;
        let number = room.links;
        room.members.insert(id.clone(), (number, link));
        let (now, later) = std::mem::take(&mut room.waiting).into_iter().partition(|(to, _)| *to == id);
        room.waiting = later;
        let now: Vec<(String, Value)> = now;
        for (to, frame) in now {
            room.tell(&to, &frame);
        }
        drop(room);
        tokio::spawn(self.clone().serve(id, number, frames));
        Ok(LinkEnds { outgoing, incoming })
    }
}

/// A peer of this id that gathers on loopback alone.
pub(crate) fn config(id: &str) -> Config {
    let mut network = Network::default();
    network.interfaces = vec!["lo".to_owned()];
    network.no_mdns = true;
    let server = "ws://127.0.0.1:1".parse().unwrap();
    Config::new(server, "room".parse().unwrap()).with_id(id.parse().unwrap()).with_network(network)
}

/// Reads events until one is what is waited for.
pub(crate) async fn until<T>(events: &mut Events, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
    let mut seen = Vec::new();
    let wait = async {
        loop {
            let event = events.next().await.expect("the events ended");
            if let Some(found) = wanted(&event) {
                return found;
            }
            seen.push(event);
        }
    };
    match tokio::time::timeout(Duration::from_secs(60), wait).await {
        Ok(found) => found,
        Err(_) => panic!("waited in vain, after {seen:#?}"),
    }
}

/// Reads events until the channel to this peer is open.
pub(crate) async fn connected(events: &mut Events, peer: &str) {
    until(events, |event| matches!(event, Event::Connected { peer_id, .. } if peer_id.as_str() == peer).then_some(()))
        .await;
}

/// Reads events until a message comes, and gives its text.
pub(crate) async fn text(events: &mut Events) -> String {
    until(events, |event| match event {
        Event::Message { payload, .. } => payload.as_text().map(str::to_owned),
        _ => None,
    })
    .await
}

pub(crate) fn id(name: &str) -> PeerId {
    name.parse().unwrap()
}
