//! Sends the lines, and knows who has which.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use grtc_peer::{MESSAGE_BYTES, PeerId, SendError};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    audience::{Audience, Problem, Progress},
    stdin::Line,
};

/// How long everybody waits for one who takes nothing, or acknowledges nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whoever just came is in the room for this long before a line that waits for somebody is worth a word.
const COMPANY: Duration = Duration::from_secs(1);
/// Lines that are kept until they are acknowledged. A bulk is acknowledged as a whole, so this is more than is under way.
const KEPT_LINES: usize = 4_096;
/// Their bytes: at most one message more.
const KEPT_BYTES: usize = 1024 * 1024;

/// A line that somebody has and nobody has acknowledged.
struct Sent {
    number: u64,
    line: Arc<str>,
    holders: BTreeSet<PeerId>,
}

/// Sends each line to everybody who is connected.
pub(crate) struct Sender<A> {
    audience: Arc<A>,
    /// Notified at each connection.
    somebody: Arc<Notify>,
    problems: mpsc::Sender<Problem>,
    progress: watch::Sender<Progress>,
    unsent: VecDeque<Arc<str>>,
    sent: VecDeque<Sent>,
    /// Of all that is kept.
    bytes: usize,
    /// The number of the next line that is sent.
    next: u64,
    /// Peers that take nothing while others do, and how many lines each has missed.
    slow: BTreeMap<PeerId, usize>,
    /// For each peer that has lines: waits until it has acknowledged all before a number, or none any more.
    flushing: JoinSet<(PeerId, Option<u64>)>,
    /// The number after the last line that each of them has.
    has: BTreeMap<PeerId, Arc<AtomicU64>>,
    begin: Instant,
    /// Whoever types was told that nobody is there.
    told: bool,
}

impl<A: Audience> Sender<A> {
    pub(crate) fn new(
        audience: Arc<A>,
        somebody: Arc<Notify>,
        problems: mpsc::Sender<Problem>,
        progress: watch::Sender<Progress>,
    ) -> Self {
        Self {
            audience,
            somebody,
            problems,
            progress,
            unsent: VecDeque::new(),
            sent: VecDeque::new(),
            bytes: 0,
            next: 0,
            slow: BTreeMap::new(),
            flushing: JoinSet::new(),
            has: BTreeMap::new(),
            begin: Instant::now(),
            told: false,
        }
    }

    /// Until all lines are sent and acknowledged. A line that nobody takes waits, and the next ones behind it.
    pub(crate) async fn run(mut self, mut lines: mpsc::Receiver<Line>) {
        let mut ended = false;
        loop {
            let somebody = Arc::clone(&self.somebody);
            // Made before the sending, so that it hears of whoever comes meanwhile.
            let somebody = somebody.notified();
            self.send_all().await;
            self.note();
            let waits = !self.unsent.is_empty();
            let room = !waits && self.sent.len() < KEPT_LINES && self.bytes < KEPT_BYTES;
            if ended && !waits && self.sent.is_empty() {
                return self.last_acknowledgements().await;
            }
            tokio::select! {
                line = lines.recv(), if room && !ended => match line {
                    Some(line) => self.take(line).await,
                    None => {
                        ended = true;
                        self.progress.send_modify(|progress| progress.ended = true);
                    }
                },
                Some(Ok((peer, acknowledged))) = self.flushing.join_next() => self.flushed(&peer, acknowledged),
                () = somebody, if waits => {}
                () = sleep_until(self.begin + COMPANY), if waits && !self.told => self.tell_that_nobody_is_there().await,
            }
        }
    }

    /// Publishes how far the lines are.
    fn note(&self) {
        let waiting = self.unsent.len() + self.sent.len();
        self.progress.send_if_modified(|progress| std::mem::replace(&mut progress.waiting, waiting) != waiting);
    }

    async fn take(&mut self, line: Line) {
        match line {
            Line::Text(line) => {
                self.bytes += line.len();
                self.unsent.push_back(line.into());
                self.note();
            }
            Line::TooLong => {
                self.progress.send_modify(|progress| progress.refused += 1);
                let message = format!("a message has at most {MESSAGE_BYTES} bytes, this line has more");
                self.tell("not_sent", None, message).await;
            }
            Line::Broken(error) => {
                self.progress.send_modify(|progress| progress.broken = true);
                self.tell("stdin", None, format!("stdin can't be read: {error}")).await;
            }
        }
    }

    /// Sends what nobody has, as long as somebody takes it.
    async fn send_all(&mut self) {
        while let Some(line) = self.unsent.front().map(Arc::clone) {
            match self.send(&line).await {
                Taken::By(holders) => {
                    (self.told, self.next) = (false, self.next + 1);
                    holders.iter().for_each(|peer| self.handed(peer));
                    self.sent.push_back(Sent { number: self.next - 1, line, holders });
                }
                Taken::Never => {
                    self.bytes -= line.len();
                    self.progress.send_modify(|progress| progress.refused += 1);
                }
                Taken::NotYet => return,
            }
            self.unsent.pop_front();
        }
    }

    /// Sends a line to everybody who is connected. As long as nobody takes it, it waits; once somebody has it, the others
    /// have [`PATIENCE`], those that let an earlier line pass none.
    async fn send(&mut self, line: &str) -> Taken {
        let mut waiting: BTreeSet<PeerId> = self.audience.connected().into_iter().collect();
        let audience = Arc::clone(&self.audience);
        let send = |id: PeerId| {
            let audience = Arc::clone(&audience);
            async move { (audience.send(&id, line).await, id) }
        };
        let mut sending: FuturesUnordered<_> = waiting.iter().cloned().map(send).collect();
        let (mut taken, mut until, mut refused) = (BTreeSet::new(), None, false);
        while until.is_none() || waiting.iter().any(|id| !self.slow.contains_key(id)) {
            let Some(Some((sent, id))) = within(until, sending.next()).await else { break };
            waiting.remove(&id);
            match sent {
                Ok(()) => {
                    until.get_or_insert_with(|| Instant::now() + PATIENCE);
                    self.is_back(&id).await;
                    taken.insert(id);
                }
                // It is gone.
                Err(SendError::NotConnected(_) | SendError::Closed(_)) => {}
                Err(error) => {
                    refused = true;
                    self.tell("not_sent", Some(&id), error.to_string()).await;
                }
            }
        }
        drop(sending);
        self.miss(waiting).await;
        match (taken.is_empty(), refused) {
            (false, _) => Taken::By(taken),
            (true, true) => Taken::Never,
            (true, false) => Taken::NotYet,
        }
    }

    async fn is_back(&mut self, id: &PeerId) {
        if let Some(missed) = self.slow.remove(id) {
            let message = format!("{id} takes lines again, it has missed {missed}");
            self.tell("not_sent", Some(id), message).await;
        }
    }

    /// These have missed a line.
    async fn miss(&mut self, peers: BTreeSet<PeerId>) {
        for id in peers {
            if !self.slow.contains_key(&id) {
                let message = format!("{id} takes nothing any more, the others go on without it");
                self.tell("not_sent", Some(&id), message).await;
            }
            *self.slow.entry(id).or_default() += 1;
        }
    }

    /// A peer has one line more.
    fn handed(&mut self, peer: &PeerId) {
        let has = Arc::clone(self.has.entry(peer.clone()).or_default());
        if has.swap(self.next, Ordering::Relaxed) == 0 {
            self.flush(peer.clone(), has);
        }
    }

    fn flush(&mut self, peer: PeerId, has: Arc<AtomicU64>) {
        let audience = Arc::clone(&self.audience);
        self.flushing.spawn(async move {
            let acknowledged = audience.flush(&peer, || has.load(Ordering::Relaxed)).await.ok();
            (peer, acknowledged)
        });
    }

    /// A peer has acknowledged all lines before this one, or its channel has closed: then what it had may be lost, and what
    /// nobody else has is sent again.
    fn flushed(&mut self, peer: &PeerId, acknowledged: Option<u64>) {
        let mut lost = Vec::new();
        for mut sent in std::mem::take(&mut self.sent) {
            if acknowledged.is_some_and(|number| sent.number < number) && sent.holders.contains(peer) {
                self.bytes -= sent.line.len();
                continue;
            }
            if acknowledged.is_none() {
                sent.holders.remove(peer);
            }
            match sent.holders.is_empty() {
                true => lost.push(sent.line),
                false => self.sent.push_back(sent),
            }
        }
        lost.into_iter().rev().for_each(|line| self.unsent.push_front(line));
        match self.has.get(peer).cloned() {
            Some(has) if acknowledged.is_some_and(|number| has.load(Ordering::Relaxed) > number) => {
                self.flush(peer.clone(), has);
            }
            _ => drop(self.has.remove(peer)),
        }
    }

    /// Somebody has acknowledged each line; whoever else got them has [`PATIENCE`] for it.
    async fn last_acknowledgements(mut self) {
        let until = Instant::now() + PATIENCE;
        while let Ok(Some(Ok((peer, acknowledged)))) = timeout_at(until, self.flushing.join_next()).await {
            self.flushed(&peer, acknowledged);
        }
        for peer in self.has.keys() {
            self.tell("not_sent", Some(peer), format!("{peer} has not acknowledged every line")).await;
        }
        self.progress.send_modify(|progress| progress.delivered = true);
    }

    async fn tell_that_nobody_is_there(&mut self) {
        self.told = true;
        let message = "nobody is connected: the line waits for the first one who is".to_owned();
        self.tell("nobody_there", None, message).await;
    }

    async fn tell(&self, code: &'static str, peer: Option<&PeerId>, message: String) {
        // Nobody asks any more at the end.
        let _ = self.problems.send(Problem { code, peer: peer.cloned(), message }).await;
    }
}

enum Taken {
    By(BTreeSet<PeerId>),
    /// Nobody is there.
    NotYet,
    /// Those who are there can't take it.
    Never,
}

/// What comes before the deadline, if there is one.
async fn within<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => timeout_at(deadline, future).await.ok(),
        None => Some(future.await),
    }
}
