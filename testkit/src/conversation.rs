//! Two peers that send each other a numbered message 20 times a second, and what comes of them.

mod heard;

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::time::{Interval, interval, sleep_until, timeout};

pub use self::heard::Heard;
use crate::PeerProcess;

const EACH: Duration = Duration::from_millis(50);
const OPEN: Duration = Duration::from_secs(60);

/// Two peers that talk. Both clocks are this process's own: a message is sent when its line is written to the one, and has
/// come when its line is read from the other.
pub struct Conversation {
    sides: [Side; 2],
    interval: Interval,
    began: Instant,
}

struct Side {
    process: PeerProcess,
    sent: Vec<Instant>,
    came: Vec<(usize, Instant)>,
    /// The other lines: what it says of itself.
    said: Vec<(Instant, String)>,
}

impl Conversation {
    /// Waits until these two are connected.
    ///
    /// # Errors
    /// When they do not connect.
    pub async fn between(a: PeerProcess, b: PeerProcess) -> anyhow::Result<Self> {
        let mut talk = Self { sides: [Side::new(a), Side::new(b)], interval: interval(EACH), began: Instant::now() };
        let open = async {
            while !talk.sides.iter().all(|side| side.said.iter().any(|(_, line)| is(line, "connected"))) {
                talk.listen().await?;
            }
            anyhow::Ok(())
        };
        match timeout(OPEN, open).await {
            Ok(opened) => opened?,
            Err(_) => bail!("they do not connect:\n{}", talk.story()),
        }
        talk.interval.reset();
        Ok(talk)
    }

    /// Lets them talk for so long.
    ///
    /// # Errors
    /// When one of them ends.
    pub async fn go_on(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = tokio::time::Instant::now() + time;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(end) => return Ok(()),
                _ = self.interval.tick() => for side in &mut self.sides {
                    side.process.type_line(&side.sent.len().to_string()).await;
                    side.sent.push(Instant::now());
                },
                heard = listen(&mut self.sides) => heard?,
            }
        }
    }

    /// Lets them talk until both have heard something that was sent after this moment.
    ///
    /// # Errors
    /// When one of them ends, or that takes longer than this.
    pub async fn until_heard(&mut self, moment: Instant, within: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + within;
        while !self.both_heard(moment) {
            ensure!(Instant::now() < end, "not within {within:?}:\n{}", self.story());
            self.go_on(EACH).await?;
        }
        Ok(())
    }

    fn both_heard(&self, moment: Instant) -> bool {
        self.heard().iter().all(|heard| heard.went_on_after(moment).is_some())
    }

    /// One of the two processes.
    #[must_use]
    pub fn process(&self, side: usize) -> &PeerProcess {
        &self.sides[side].process
    }

    /// Waits until all that was sent has come, for so long without another one. What each has heard.
    ///
    /// # Errors
    /// When one of them ends.
    pub async fn end(mut self, patience: Duration) -> anyhow::Result<[Heard; 2]> {
        while self.heard().iter().any(|heard| heard.waiting() > 0) {
            let before = self.heard().map(|heard| heard.came.len());
            let more = async {
                while self.heard().map(|heard| heard.came.len()) == before {
                    self.listen().await?;
                }
                anyhow::Ok(())
            };
            match timeout(patience, more).await {
                Ok(more) => more?,
                Err(_) => break,
            }
        }
        println!("{}", self.story());
        Ok(self.heard())
    }

    /// What each has heard of the other so far.
    #[must_use]
    pub fn heard(&self) -> [Heard; 2] {
        let [a, b] = &self.sides;
        [(b, a), (a, b)].map(|(from, to)| Heard { sent: from.sent.clone(), came: to.came.clone() })
    }

    async fn listen(&mut self) -> anyhow::Result<()> {
        listen(&mut self.sides).await
    }

    /// What they said of themselves, with the seconds since the beginning, and what each heard.
    fn story(&self) -> String {
        let [a, b] = &self.sides;
        let all = a.said.iter().map(|said| ("A", said)).chain(b.said.iter().map(|said| ("B", said)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, (when, _))| *when);
        let line = |(who, (when, line)): &(&str, &(Instant, String))| {
            format!("{:8.3} {who} {line}\n", when.saturating_duration_since(self.began).as_secs_f64())
        };
        let [a, b] = self.heard();
        format!("{}A heard B: {a}\nB heard A: {b}", all.iter().map(line).collect::<String>())
    }
}

/// Takes the next line of either.
async fn listen([a, b]: &mut [Side; 2]) -> anyhow::Result<()> {
    let (line, side) = tokio::select! {
        line = a.process.any_line() => (line, a),
        line = b.process.any_line() => (line, b),
    };
    side.take(line.context("a peer has ended")?)
}

impl Side {
    fn new(process: PeerProcess) -> Self {
        Self { process, sent: Vec::new(), came: Vec::new(), said: Vec::new() }
    }

    fn take(&mut self, line: String) -> anyhow::Result<()> {
        let event: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        match event["event"].as_str() {
            Some("message") => {
                let number = event["text"].as_str().and_then(|text| text.parse().ok());
                self.came.push((number.with_context(|| line.clone())?, Instant::now()));
            }
            _ => self.said.push((Instant::now(), line)),
        }
        Ok(())
    }
}

fn is(line: &str, event: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|line| line["event"] == event)
}
