//! `--status`: a small live page about this peer.
//!
//! It has no authentication, so that it listens on loopback unless it is told otherwise, and there answers only to the
//! names of loopback: a web page elsewhere can't reach it by a name of its own (DNS rebinding).

mod gaps;
pub(crate) mod routes;

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use grtc_peer::{Event, Peer, PeerStatus};
use serde::Serialize;

use self::gaps::Gaps;
use crate::text::escaped;

/// Lines of the log, and messages, that the page shows.
const SHOWN: usize = 200;
/// The longest text that the page shows of a message, in characters.
const TEXT_CHARS: usize = 2_000;

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Board {
    started: Instant,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    /// Weak: the page does not keep the peer in the room.
    peer: Weak<Peer>,
    server: String,
    link: Link,
    received: u64,
    messages: VecDeque<Message>,
    log: VecDeque<Line>,
    gaps: Gaps,
}

/// How the link to the server is.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
enum Link {
    #[default]
    Joining,
    Up,
    Reconnecting,
    Ended,
}

#[derive(Clone, Debug, Serialize)]
struct Message {
    t_ms: u64,
    from: String,
    text: String,
    via: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Line {
    t_ms: u64,
    text: String,
}

/// All of it at one time.
#[derive(Debug, Serialize)]
struct Snapshot {
    peer_id: Option<String>,
    room_id: Option<String>,
    server: String,
    link: Link,
    uptime_ms: u64,
    messages_received: u64,
    peers: Vec<PeerStatus>,
    messages: Vec<Message>,
    log: Vec<Line>,
    gaps: Gaps,
}

impl Board {
    /// Of a peer that is about to join.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), notes: Mutex::default() })
    }

    /// This is the peer that the page is about.
    pub(crate) fn attach(&self, peer: &Arc<Peer>, server: &str) {
        let mut notes = self.lock();
        notes.peer = Arc::downgrade(peer);
        server.clone_into(&mut notes.server);
    }

    /// Takes note of what happened.
    pub(crate) fn note(&self, event: &Event) {
        let t_ms = self.t_ms();
        let mut notes = self.lock();
        match event {
            Event::Joined { .. } => {
                notes.link = Link::Up;
                notes.gaps.over(None, t_ms);
            }
            Event::Reconnecting { why, .. } => {
                notes.link = Link::Reconnecting;
                notes.gaps.begin(None, t_ms, why);
            }
            Event::Ended { .. } => notes.link = Link::Ended,
            Event::Interrupted { peer_id, why } => notes.gaps.begin(Some(peer_id), t_ms, why),
            Event::Disconnected { peer_id } => notes.gaps.begin(Some(peer_id), t_ms, "disconnected"),
            Event::Recovered { peer_id, .. } | Event::Connected { peer_id, .. } => notes.gaps.over(Some(peer_id), t_ms),
            _ => {}
        }
        if let Event::Message { from, payload, via } = event {
            let text = match payload.as_text() {
                Some(text) => escaped(text).chars().take(TEXT_CHARS).collect(),
                None => format!("[{} bytes]", payload.len()),
            };
            notes.received += 1;
            let (from, via) = (from.to_string(), via.word());
            push(&mut notes.messages, Message { t_ms, from, text, via });
        } else if let Some(text) = line(event) {
            push(&mut notes.log, Line { t_ms, text });
        }
    }

    fn t_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> impl Future<Output = Snapshot> + Send + use<> {
        let notes = self.lock();
        let peer = notes.peer.upgrade();
        let snapshot = Snapshot {
            peer_id: peer.as_ref().map(|peer| peer.id().to_string()),
            room_id: peer.as_ref().map(|peer| peer.room().to_string()),
            server: notes.server.clone(),
            link: notes.link,
            uptime_ms: self.t_ms(),
            messages_received: notes.received,
            peers: Vec::new(),
            messages: notes.messages.iter().cloned().collect(),
            log: notes.log.iter().cloned().collect(),
            gaps: notes.gaps.clone(),
        };
        async move {
            match peer {
                Some(peer) => Snapshot { peers: peer.status().await, ..snapshot },
                None => snapshot,
            }
        }
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == SHOWN {
        list.pop_front();
    }
    list.push_back(item);
}

/// A line of the log. Messages have a place of their own.
fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::Joined { recovered: Some(true), .. } => "back in the room, and missed nothing".to_owned(),
        Event::Joined { peers, .. } => format!("joined the room with {} others", peers.len()),
        Event::PeerJoined { peer_id } => format!("{peer_id} joined"),
        Event::PeerLeft { peer_id, .. } => format!("{peer_id} left"),
        Event::PeerAway { peer_id } => format!("{peer_id} has lost the server, and may come back"),
        Event::PeerBack { peer_id } => format!("{peer_id} is back"),
        Event::Connecting { peer_id } => format!("connecting to {peer_id}"),
        Event::Connected { peer_id, timings, .. } => format!("connected to {peer_id} in {} ms", timings.total),
        Event::Interrupted { peer_id, why } => format!("interrupted: {peer_id} ({})", escaped(why)),
        Event::Recovered { peer_id, gap } => format!("{peer_id} is reached again after {} ms", gap.as_millis()),
        Event::Disconnected { peer_id } => format!("disconnected from {peer_id}"),
        Event::Failed { peer_id, message, .. } => format!("no connection to {peer_id}: {}", escaped(message)),
        Event::Refused { peer_id, message } => format!("{peer_id}: {}", escaped(message)),
        Event::LocalFailure { peer_id, cause } => format!("no connection to {peer_id}: {cause}"),
        Event::Reconnecting { attempt, delay, why } => {
            format!("the server is gone ({}): attempt {attempt} in {} ms", escaped(why), delay.as_millis())
        }
        Event::ServerError { code, message } | Event::Ended { code, message } => {
            format!("error ({}): {}", escaped(code), escaped(message))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use grtc_peer::{Payload, Via};

    use super::*;

    #[tokio::test]
    async fn keeps_the_last_and_counts_all() {
        let board = Board::new();
        for number in 0..SHOWN + 7 {
            let payload = Payload::from(format!("{number}\u{1b}"));
            board.note(&Event::Message { from: "b".parse().unwrap(), payload, via: Via::P2p });
        }
        let snapshot = board.snapshot().await;
        assert_eq!((snapshot.messages.len(), snapshot.messages_received), (SHOWN, SHOWN as u64 + 7));
        assert_eq!(snapshot.messages[0].text, "7\\u{1b}");
    }
}
