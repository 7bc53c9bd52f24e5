//! `grtc-peer swarm ROOM`

use std::{
    collections::HashMap,
    io,
    time::{Duration, Instant},
};

use clap::Args;
use grtc_peer::{Event, Events, LocalCause, Peer, PeerId, Stage};
use serde_json::json;
use tokio::{sync::mpsc, task::JoinSet, time::timeout_at};

use super::{
    Exit,
    exit::NotJoined,
    options::{Options, duration},
    output::{ms, print},
    waiting::{interrupted, joined},
};
use crate::{stderr, text::escaped};

pub(super) const EXAMPLES: &str = "\
Examples:
  grtc-peer swarm lobby --peers 20          # 190 channels; ends by itself
  grtc-peer swarm lobby --peers 20 --json
  grtc-peer swarm lobby --peers 5 --stay    # company for a browser; Ctrl-C ends it";

/// Events of all peers that wait to be counted.
const QUEUE: usize = 1_024;

/// Fill a room with peers of this process.
#[derive(Debug, Args)]
pub(super) struct Swarm {
    #[command(flatten)]
    options: Options,

    /// How many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..=200))]
    peers: u16,

    /// Give up after this long.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    timeout: Duration,

    /// Print the result as a JSON object.
    #[arg(long)]
    json: bool,

    /// Stay in the room until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

/// What one peer of the swarm tells: its number, and what happened.
type Told = (usize, Event);

impl Swarm {
    pub(super) fn check(&self) -> Result<(), String> {
        self.options.check()
    }

    pub(super) async fn run(self, started: Instant) -> Exit {
        let deadline = tokio::time::Instant::now() + self.timeout;
        let late = format!("{} did not let all of them in within the --timeout", self.options.server);
        let (peers, mut told) = match joined(self.join(started), Some(deadline), late).await {
            Ok(joined) => joined,
            Err(why) => {
                let nobody = Tally::new(started, usize::from(self.peers), Vec::new());
                return why.exit.after(nobody.print(self.json, Some((&why.code, &why.message))));
            }
        };
        let interrupt = interrupted();
        tokio::pin!(interrupt);
        let ids = peers.iter().map(|peer| peer.id().clone()).collect();
        let mut tally = Tally::new(started, peers.len(), ids);
        let mut stopped = tokio::select! {
            _ = timeout_at(deadline, tally.count(&mut told)) => false,
            () = &mut interrupt => true,
        };
        let printed = match tally.failure() {
            Some((code, message)) => tally.print(self.json, Some((code, &message))),
            None => tally.print(self.json, None),
        };
        if self.stay && !stopped && printed.is_ok() {
            // Events are read on, so that nobody is held up.
            stopped = tokio::select! {
                () = async { while told.recv().await.is_some() {} } => false,
                () = &mut interrupt => true,
            };
        }
        let mut leaving = JoinSet::new();
        for peer in peers {
            leaving.spawn(async move { peer.leave().await });
        }
        leaving.join_all().await;
        if stopped { Exit::Interrupted } else { tally.exit() }.after(printed)
    }

    /// All at once: crossing joins are a part of what is measured.
    async fn join(&self, started: Instant) -> Result<(Vec<Peer>, mpsc::Receiver<Told>), NotJoined> {
        let swarm =
            fastrand::Rng::with_seed(u64::from(std::process::id()) ^ (started.elapsed().as_nanos() as u64)).u16(..);
        let token = self.options.token().await?;
        let mut joining = JoinSet::new();
        for number in 1..=self.peers {
            let mut config = self.options.config();
            // Short and of allowed characters: it always is an id.
            config.id = format!("swarm-{swarm:04x}-{number}").parse().ok();
            config.network.no_mdns = true;
            config.token.clone_from(&token);
            joining.spawn(Peer::join(config));
        }
        let (sender, told) = mpsc::channel(QUEUE);
        let mut peers = Vec::new();
        while let Some(joined) = joining.join_next().await {
            let Ok(joined) = joined else { continue };
            let (peer, events) = joined?;
            tokio::spawn(tell(peers.len(), events, sender.clone()));
            peers.push(peer);
        }
        Ok((peers, told))
    }
}

async fn tell(number: usize, mut events: Events, sender: mpsc::Sender<Told>) {
    while let Some(event) = events.next().await {
        if matches!(event, Event::Connected { .. } | Event::Failed { .. } | Event::LocalFailure { .. })
            && sender.send((number, event)).await.is_err()
        {
            return;
        }
    }
}

/// Counts the channels between the peers of the swarm, each event once.
struct Tally {
    started: Instant,
    peers: usize,
    numbers: HashMap<PeerId, usize>,
    /// Sides that are open: a channel is, when both are. What its open took, in milliseconds.
    sides: HashMap<(usize, usize), f64>,
    /// What each open took, on the side that was later.
    times: Vec<f64>,
    all: Option<Duration>,
    failed: Option<Stage>,
    /// What this machine lacks: no more will come.
    lacks: Option<LocalCause>,
}

impl Tally {
    fn new(started: Instant, peers: usize, ids: Vec<PeerId>) -> Self {
        let numbers = ids.into_iter().enumerate().map(|(number, id)| (id, number)).collect();
        let (sides, times) = (HashMap::new(), Vec::new());
        Self { started, peers, numbers, sides, times, all: None, failed: None, lacks: None }
    }

    fn expected(&self) -> usize {
        self.peers * self.peers.saturating_sub(1) / 2
    }

    fn open(&self) -> usize {
        self.times.len()
    }

    async fn count(&mut self, told: &mut mpsc::Receiver<Told>) {
        while self.open() < self.expected() && self.lacks.is_none() {
            match told.recv().await {
                Some((number, event)) => self.note(number, event),
                None => return,
            }
        }
        self.all = Some(self.started.elapsed()).filter(|_| self.is_complete());
    }

    fn note(&mut self, number: usize, event: Event) {
        match event {
            Event::Connected { peer_id, timings, .. } => {
                let Some(other) = self.numbers.get(&peer_id).copied() else { return };
                let is_new = self.sides.insert((number, other), timings.total).is_none();
                if let Some(time) = self.sides.get(&(other, number)).filter(|_| is_new) {
                    self.times.push(time.max(timings.total));
                }
            }
            Event::Failed { stage, .. } => self.failed = self.failed.max(Some(stage)),
            Event::LocalFailure { cause, .. } => self.lacks = Some(cause),
            _ => {}
        }
    }

    fn is_complete(&self) -> bool {
        self.open() == self.expected()
    }

    fn exit(&self) -> Exit {
        match (self.is_complete(), &self.lacks, self.failed) {
            (true, ..) => Exit::Well,
            (false, Some(_), _) => Exit::Local,
            (false, None, Some(stage)) => stage.into(),
            (false, None, None) => Exit::Unmet,
        }
    }

    /// The code and the words of what went wrong.
    fn failure(&self) -> Option<(&'static str, String)> {
        match (self.is_complete(), &self.lacks, self.failed) {
            (true, ..) | (false, None, None) => None,
            (false, Some(cause), _) => Some((cause.code(), cause.to_string())),
            (false, None, Some(stage)) => Some((stage.failure(), stage.explanation().to_owned())),
        }
    }

    /// The result, with the code and the words of what went wrong.
    fn print(&self, as_json: bool, error: Option<(&str, &str)>) -> io::Result<()> {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        let (p50, p99, max) = (percentile(&times, 50), percentile(&times, 99), times.last().copied());
        let (peers, open, expected) = (self.peers, self.open(), self.expected());
        let all = self.all.map(ms);
        if as_json {
            let mut result = json!({
                "peers": peers,
                "channels_open": open,
                "channels_expected": expected,
                "ms": { "p50": p50, "p99": p99, "max": max, "all": all },
                "ok": self.is_complete(),
            });
            if let Some((code, message)) = error {
                result["error"] = json!({ "code": code, "message": message });
            }
            return print(&result.to_string());
        }
        if let Some((code, message)) = error {
            stderr::line(&format!("* error ({code}): {}", escaped(message)));
        }
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1} ms"));
        print(&format!("{peers} peers, {open} of {expected} channels open, all after {}", number(all)))?;
        print(&format!("each: p50 {}, p99 {}, max {}", number(p50), number(p99), number(max)))
    }
}

/// By nearest rank: a value that was measured, and so many of all are not above it.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use grtc_peer::{CandidatePair, Timings};

    use super::*;

    fn connected(to: &str, total: f64) -> Event {
        let pair = CandidatePair { local: String::new(), remote: String::new(), protocol: String::new() };
        let timings = Timings { signaling: 0.0, ice: 0.0, dtls: 0.0, sctp: 0.0, total };
        Event::Connected { peer_id: to.parse().unwrap(), pair, timings }
    }

    #[test]
    fn a_channel_counts_once_when_both_sides_are_open() {
        let ids = ["a", "b", "c"].map(|id| id.parse().unwrap()).into();
        let mut tally = Tally::new(Instant::now(), 3, ids);
        for (number, to, open) in
            [(0, "b", 0), (0, "b", 0), (1, "a", 1), (1, "a", 1), (1, "x", 1), (2, "a", 1), (0, "c", 2)]
        {
            tally.note(number, connected(to, f64::from(number as u32)));
            assert_eq!(tally.open(), open, "{number} {to}");
        }
        assert_eq!((tally.times.clone(), tally.is_complete()), (vec![1.0, 2.0], false));
    }

    #[test]
    fn what_this_machine_lacks_comes_before_what_failed() {
        let peer_id: PeerId = "b".parse().unwrap();
        let mut tally = Tally::new(Instant::now(), 2, vec![]);
        assert_eq!((tally.exit(), tally.failure()), (Exit::Unmet, None));
        tally.note(0, Event::Failed { peer_id: peer_id.clone(), stage: Stage::Ice, message: String::new() });
        assert_eq!((tally.exit(), tally.failure().unwrap().0), (Exit::Ice, "ice_failed"));
        tally.note(0, Event::LocalFailure { peer_id, cause: LocalCause::OutOfFiles });
        assert_eq!((tally.exit(), tally.failure().unwrap().0), (Exit::Local, "out_of_files"));
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((percentile(&sorted, 50), percentile(&sorted, 99)), (Some(50.0), Some(99.0)));
        assert_eq!((percentile(&[7.0], 50), percentile(&[7.0], 99), percentile(&[], 50)), (Some(7.0), Some(7.0), None));
    }
}
