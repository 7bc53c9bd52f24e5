//! A client that comes back whatever happens to its socket, and holds all that it is sent to what it has to be.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{bail, ensure};
use grtc_testkit::{
    Raw,
    raw::{Opcode, frame},
};
use serde_json::{Value, json};
use tokio::{sync::mpsc::Receiver, time::sleep};

/// Longer than the server lets anybody be silent.
const WAIT: Duration = Duration::from_secs(60);
/// Before the next try while the server takes a lost socket for alive.
const AGAIN: Duration = Duration::from_millis(20);
const TRIES: usize = 500;

/// What a peer is told to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Do {
    Broadcast,
    Direct(usize),
    Cut {
        kind: Cut,
        in_mid_frame: bool,
        away: Duration,
        /// The next socket is cut as well, before anything comes by it.
        again: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// By a reset.
    Reset,
    /// By the end of the stream, without a close frame.
    End,
    /// Nothing comes any more, and nothing is heard of it.
    Silence,
}

/// A sequence of messages: broadcasts of somebody, or what somebody sent to somebody.
type Sequence = (String, Option<String>);

pub(super) struct Peer {
    address: SocketAddr,
    room: String,
    id: String,
    raw: Raw,
    silent: Vec<Raw>,
    token: String,
    received: u64,
    messages: usize,
    /// What has no `ack` yet: the `id` and the text.
    unacked: VecDeque<(String, String)>,
    sent: BTreeMap<Sequence, u64>,
    seen: BTreeMap<Sequence, u64>,
    /// The number of the last broadcast.
    seq: u64,
    roster: BTreeSet<String>,
    away: BTreeSet<String>,
}

impl Peer {
    pub(super) async fn join(address: SocketAddr, room: &str, number: usize) -> anyhow::Result<Self> {
        let (room, id) = (room.to_owned(), number.to_string());
        let raw = Raw::upgrade(address, &format!("/ws/{room}?peer_id={id}&resume=")).await?;
        let mut peer = Self {
            address,
            room,
            id,
            raw,
            silent: Vec::new(),
            token: String::new(),
            received: 0,
            messages: 0,
            unacked: VecDeque::new(),
            sent: BTreeMap::new(),
            seen: BTreeMap::new(),
            seq: 0,
            roster: BTreeSet::new(),
            away: BTreeSet::new(),
        };
        let (_, first) = peer.raw.next_frame(WAIT).await?;
        let state: Value = serde_json::from_slice(&first)?;
        peer.token = state["resume_token"].as_str().unwrap_or_default().to_owned();
        peer.roster = serde_json::from_value(state["peers"].clone())?;
        Ok(peer)
    }

    pub(super) fn id(&self) -> String {
        self.id.clone()
    }

    pub(super) fn room(&self) -> &str {
        &self.room
    }

    /// Does as it is told, and then waits until all that it has sent is acknowledged.
    pub(super) async fn live(mut self, mut orders: Receiver<Do>, peers: usize) -> anyhow::Result<Self> {
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Do::Broadcast) => self.say(None).await?,
                    Some(Do::Direct(target)) if target.to_string() == self.id => {}
                    Some(Do::Direct(target)) => self.say(Some((target % peers).to_string())).await?,
                    Some(Do::Cut { kind, in_mid_frame, away, again }) => {
                        self.cut(kind, in_mid_frame).await?;
                        sleep(away).await;
                        self.come_back(again).await?;
                    }
                    None => break,
                },
                frame = self.raw.next_frame(WAIT) => {
                    let (opcode, payload) = frame?;
                    self.take(opcode, &payload).await?;
                }
            }
        }
        while !self.unacked.is_empty() {
            self.next().await?;
        }
        Ok(self)
    }

    /// Takes all that was sent before this.
    pub(super) async fn catch_up(&mut self) -> anyhow::Result<()> {
        self.raw.frame(true, Opcode::Text, br#"{"type":"ping"}"#).await?;
        while self.next().await? != "pong" {}
        Ok(())
    }

    pub(super) async fn leave(mut self) -> anyhow::Result<()> {
        self.raw.frame(true, Opcode::Text, br#"{"type":"leave"}"#).await?;
        ensure!(self.raw.close_code(WAIT).await? == 1000);
        Ok(())
    }

    /// It has all that the others have sent, and knows who is there.
    pub(super) fn has_all_of(&self, all: &[Self], everybody: &BTreeSet<String>) {
        let mut expected = BTreeMap::new();
        for other in all.iter().filter(|other| other.id != self.id) {
            let mine = |((_, to), _): &(&Sequence, &u64)| to.as_ref().is_none_or(|to| *to == self.id);
            expected.extend(other.sent.iter().filter(mine).map(|(sequence, count)| (sequence.clone(), *count)));
        }
        assert_eq!(self.seen, expected, "what {} has seen in {}", self.id, self.room);
        let mut roster = self.roster.clone();
        roster.insert(self.id.clone());
        assert_eq!((&roster, &self.away), (everybody, &BTreeSet::new()), "who {} knows in {}", self.id, self.room);
    }

    async fn say(&mut self, to: Option<String>) -> anyhow::Result<()> {
        let count = self.sent.entry((self.id.clone(), to.clone())).or_default();
        *count += 1;
        self.messages += 1;
        let (id, n) = (format!("m{}", self.messages), *count);
        let message = match to {
            Some(to) => json!({"type": "message", "target_peer_id": to, "data": n, "id": id}),
            None => json!({"type": "broadcast", "data": n, "id": id}),
        };
        let text = message.to_string();
        self.unacked.push_back((id, text.clone()));
        self.raw.frame(true, Opcode::Text, text.as_bytes()).await
    }

    /// In the middle of a frame, if so: of the next message, which is sent whole after the return.
    async fn cut(&mut self, kind: Cut, in_mid_frame: bool) -> anyhow::Result<()> {
        if in_mid_frame {
            let count = self.sent.entry((self.id.clone(), None)).or_default();
            *count += 1;
            self.messages += 1;
            let id = format!("m{}", self.messages);
            let text = json!({"type": "broadcast", "data": *count, "id": id}).to_string();
            let bytes = frame(true, Opcode::Text, text.as_bytes());
            self.raw.send(&bytes[..1 + fastrand::usize(..bytes.len() - 1)]).await?;
            self.unacked.push_back((id, text));
        }
        let next = Raw::connect(self.address).await?;
        let lost = std::mem::replace(&mut self.raw, next);
        match kind {
            Cut::Reset => lost.reset()?,
            Cut::End => drop(lost),
            Cut::Silence => self.silent.push(lost),
        }
        Ok(())
    }

    async fn come_back(&mut self, cut_again: bool) -> anyhow::Result<()> {
        let path = format!("/ws/{}?peer_id={}&resume={}&received={}", self.room, self.id, self.token, self.received);
        if cut_again {
            Raw::upgrade(self.address, &path).await?.reset()?;
        }
        for _ in 0..TRIES {
            self.raw = Raw::upgrade(self.address, &path).await?;
            let (opcode, first) = self.raw.next_frame(WAIT).await?;
            if opcode == Opcode::Close as u8 && first.starts_with(&4409_u16.to_be_bytes()) && cut_again {
                sleep(AGAIN).await;
                continue;
            }
            let state: Value = serde_json::from_slice(&first)?;
            ensure!(state["recovered"] == true, "{} is back to {state}", self.id);
            self.token = state["resume_token"].as_str().unwrap_or_default().to_owned();
            self.received = 0;
            for (_, text) in self.unacked.clone() {
                self.raw.frame(true, Opcode::Text, text.as_bytes()).await?;
            }
            return Ok(());
        }
        bail!("{} does not come in", self.id)
    }

    async fn next(&mut self) -> anyhow::Result<String> {
        let (opcode, payload) = self.raw.next_frame(WAIT).await?;
        self.take(opcode, &payload).await
    }

    /// Takes what came, and gives its type.
    async fn take(&mut self, opcode: u8, payload: &[u8]) -> anyhow::Result<String> {
        if opcode == Opcode::Ping as u8 {
            self.raw.frame(true, Opcode::Pong, payload).await?;
            return Ok(String::new());
        }
        ensure!(opcode == Opcode::Text as u8, "{} got a frame of kind {opcode}: {payload:?}", self.id);
        self.received += 1;
        let message: Value = serde_json::from_slice(payload)?;
        let kind = message["type"].as_str().unwrap_or_default();
        let (from, peer) = (message["from_peer_id"].as_str(), message["peer_id"].as_str().unwrap_or_default());
        match kind {
            "broadcast_message" => {
                let seq = message["seq"].as_u64().unwrap_or_default();
                ensure!(seq > self.seq, "{} got {message} after {}", self.id, self.seq);
                self.seq = seq;
                self.see(from, None, &message)?;
            }
            "direct_message" => self.see(from, Some(self.id.clone()), &message)?,
            "ack" => {
                let first = self.unacked.pop_front();
                let reference = message["ref"].as_str().unwrap_or_default();
                // One that is sent again may be acknowledged twice.
                match first {
                    Some((id, _)) if id == reference => {}
                    other => other.into_iter().for_each(|first| self.unacked.push_front(first)),
                }
            }
            "peer_joined" => ensure!(self.roster.insert(peer.to_owned()), "{} got {message}", self.id),
            "peer_away" => ensure!(self.away.insert(peer.to_owned()), "{} got {message}", self.id),
            "peer_back" => ensure!(self.away.remove(peer), "{} got {message}", self.id),
            "pong" => {}
            _ => bail!("{} got {message}", self.id),
        }
        Ok(kind.to_owned())
    }

    /// Each one follows on the one before.
    fn see(&mut self, from: Option<&str>, to: Option<String>, message: &Value) -> anyhow::Result<()> {
        let seen = self.seen.entry((from.unwrap_or_default().to_owned(), to)).or_default();
        ensure!(message["data"] == *seen + 1, "{} got {message} after {seen}", self.id);
        *seen += 1;
        Ok(())
    }
}
