//! A server that keeps the place of its one peer, and loses what it is told to.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::*;

/// What the server has of the peer. It forgets a token as soon as the next one has been put into a link, as a server does that
/// has seen the answer to its ping: so a session that drops a link on which its token waits is found out.
#[derive(Default)]
pub(super) struct Room {
    pub(super) tokens: Vec<(String, usize)>,
    /// Links that there were.
    pub(super) given: u32,
    /// The peer has not heard of this stay: a server says 4409 then for a while, this one begins anew.
    unknown: bool,
    /// All frames of this stay: a token is for those after its number.
    frames: Vec<String>,
    ids: BTreeSet<String>,
    /// What came of the peer in this stay, and what it was told.
    pub(super) delivered: Vec<u64>,
    pub(super) said: Vec<u64>,
    pub(super) link: Option<Wire>,
    /// The next tries fail; the next link is dead before its first frame has arrived.
    pub(super) failures: u32,
    pub(super) loses_answer: bool,
    /// How long it takes to answer.
    pub(super) slow: Duration,
}

/// The link that there is.
pub(super) struct Wire {
    number: u32,
    to_peer: mpsc::Sender<Incoming>,
    /// Nothing arrives there, or comes from there.
    pub(super) deaf: bool,
    pub(super) mute: bool,
}

#[derive(Clone, Default)]
pub(super) struct Model(Arc<Mutex<Room>>);

impl Model {
    pub(super) fn room<T>(&self, act: impl FnOnce(&mut Room) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    pub(super) fn session(&self, seed: u64) -> Session {
        let (ends, token) = self.enter(None);
        Session::new(Arc::new(self.clone()), "me".parse().unwrap(), ends, token, fastrand::Rng::with_seed(seed))
    }

    /// Lets the peer in. The `room_state` of a first join is not put into the link.
    fn enter(&self, back: Option<&Back>) -> (LinkEnds, Option<String>) {
        let (outgoing, from_peer) = mpsc::channel(4);
        let (to_peer, incoming) = mpsc::channel(10_000);
        let (number, token, after) = self.room(|room| {
            let after = back.and_then(|back| room.after(back));
            assert!(after.is_some() || room.tokens.is_empty() || room.unknown, "its token is worth nothing");
            room.given += 1;
            let token = format!("t{}", room.given);
            if after.is_none() {
                room.begin_anew();
                room.unknown = back.is_some();
            }
            room.tokens.push((token.clone(), after.unwrap_or_default()));
            let (mute, deaf) = (back.is_some(), std::mem::take(&mut room.loses_answer));
            room.link = Some(Wire { number: room.given, to_peer: to_peer.clone(), deaf, mute });
            (room.given, token, after)
        });
        if back.is_some() {
            tokio::spawn(self.clone().answer(number, token.clone(), after));
        }
        tokio::spawn(self.clone().serve(number, from_peer, to_peer));
        (LinkEnds { outgoing, incoming }, Some(token))
    }

    /// The answer to who comes back arrives, if nothing has come in between.
    async fn answer(self, number: u32, token: String, after: Option<usize>) {
        sleep(Duration::from_millis(10)).await;
        let state = json!({"type":"room_state","peers":[],"your_peer_id":"me","resume_token":token,"recovered":after.is_some()});
        self.room(|room| {
            let Some(wire) = room.wire(number).filter(|wire| !wire.deaf) else { return };
            if wire.to_peer.try_send(Incoming::Text(state.to_string())).is_err() {
                return;
            }
            wire.mute = false;
            let to_peer = wire.to_peer.clone();
            let after = after.unwrap_or_default();
            room.frames.iter().skip(after).for_each(|text| to_peer.try_send(Incoming::Text(text.clone())).unwrap());
            (room.tokens, room.unknown) = (vec![(token, after)], false);
        });
    }

    async fn serve(self, number: u32, mut from_peer: mpsc::Receiver<Outgoing>, to_peer: mpsc::Sender<Incoming>) {
        while let Some(outgoing) = from_peer.recv().await {
            let dead = self.room(|room| room.wire(number).is_none_or(|wire| wire.deaf || wire.mute));
            let slow = self.room(|room| room.slow);
            match outgoing {
                Outgoing::Text(text) if slow.is_zero() => self.room(|room| room.takes(number, &text)),
                Outgoing::Text(text) => {
                    let model = self.clone();
                    tokio::spawn(async move {
                        sleep(slow).await;
                        model.room(|room| room.takes(number, &text));
                    });
                }
                Outgoing::Probe(within) if dead || slow > within => {
                    sleep(within).await;
                    let _ = to_peer.send(Incoming::End(unreachable())).await;
                }
                Outgoing::Probe(_) => {}
                Outgoing::Leave => return,
            }
        }
    }
}

#[async_trait::async_trait]
impl SignalLink for Model {
    async fn open(&self, join: &Join) -> Result<LinkEnds, LinkError> {
        sleep(Duration::from_millis(20)).await;
        let fails = self.room(|room| {
            let fails = room.failures > 0;
            room.failures = room.failures.saturating_sub(1);
            fails
        });
        if fails {
            return Err(unreachable());
        }
        Ok(self.enter(join.back.as_ref()).0)
    }
}

impl Room {
    fn begin_anew(&mut self) {
        self.tokens.clear();
        self.frames.clear();
        self.ids.clear();
        self.delivered.clear();
        self.said.clear();
    }

    /// Where who comes back goes on.
    fn after(&self, back: &Back) -> Option<usize> {
        let (_, begin) = self.tokens.iter().find(|(token, _)| *token == back.token)?;
        Some(begin + usize::try_from(back.received).unwrap())
    }

    fn wire(&mut self, number: u32) -> Option<&mut Wire> {
        self.link.as_mut().filter(|wire| wire.number == number)
    }

    pub(super) fn says(&mut self, n: u64) {
        self.said.push(n);
        self.tell(json!({"type":"broadcast_message","n":n}).to_string());
    }

    fn tell(&mut self, text: String) {
        if let Some(wire) = self.link.as_ref().filter(|wire| !wire.mute) {
            let _ = wire.to_peer.try_send(Incoming::Text(text.clone()));
        }
        self.frames.push(text);
    }

    fn takes(&mut self, number: u32, text: &str) {
        if self.wire(number).is_none_or(|wire| wire.deaf) {
            return;
        }
        let frame: Value = serde_json::from_str(text).unwrap();
        let id = frame["id"].as_str().unwrap().to_owned();
        if self.ids.insert(id.clone()) {
            self.delivered.push(frame["n"].as_u64().unwrap());
        }
        self.tell(json!({"type":"ack","ref":id}).to_string());
    }

    pub(super) fn cut(&mut self) {
        if let Some(wire) = self.link.take() {
            let _ = wire.to_peer.try_send(Incoming::End(unreachable()));
        }
    }
}
