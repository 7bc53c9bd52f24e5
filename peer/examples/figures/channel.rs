//! One channel between two processes.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use bytes::Bytes;
use grtc_peer::{Event, Events, Peer, PeerId};
use serde_json::{Value, json};

use crate::{
    Running, join,
    receiver::{END, PING, Round},
};

/// How long data is sent for each size.
const SENDING: Duration = Duration::from_secs(4);
const PINGS: usize = 5_000;
const BURSTS: usize = 100;
const MESSAGES: usize = 1_000;
/// A pause that somebody notices.
const LONG_MS: f64 = 20.0;

/// A channel to a process of its own.
struct Pair {
    peer: Peer,
    events: Events,
    other: PeerId,
    _receiver: Running,
}

impl Pair {
    async fn open(server: &str) -> anyhow::Result<Self> {
        let (peer, mut events) = join(server, "figures").await?;
        let receiver =
            Command::new(std::env::current_exe()?).args(["receive", server]).stdout(Stdio::null()).spawn()?;
        let _receiver = Running(receiver);
        loop {
            if let Event::Connected { peer_id: other, .. } = events.next().await.context("the peer ended")? {
                return Ok(Self { peer, events, other, _receiver });
            }
        }
    }

    /// Ends a round: what the other side says of it.
    async fn end(&mut self) -> anyhow::Result<Round> {
        drop(self.peer.queue(&self.other, END).await?);
        loop {
            match self.events.next().await.context("the peer ended")? {
                Event::Message { payload, .. } => {
                    return Ok(serde_json::from_str(payload.as_text().unwrap_or_default())?);
                }
                Event::Disconnected { .. } => bail!("the channel broke"),
                _ => {}
            }
        }
    }
}

pub(crate) async fn throughput(server: String, length: usize) -> anyhow::Result<Value> {
    let mut pair = Pair::open(&server).await?;
    let (message, dropped, begin) = (Bytes::from(vec![7; length]), dropped()?, Instant::now());
    while begin.elapsed() < SENDING {
        for _ in 0..64 {
            drop(pair.peer.queue(&pair.other, message.clone()).await?);
        }
    }
    let Round { bytes, seconds, pause_ms, .. } = pair.end().await?;
    pair.peer.leave().await;
    let mb_per_s = tenth(bytes as f64 / seconds / 1e6);
    let dropped = self::dropped()? - dropped;
    Ok(json!({
        "figure": "throughput", "message_bytes": length, "mb_per_s": mb_per_s, "seconds": tenth(seconds),
        "pause_ms": tenth(pause_ms), "datagrams_dropped": dropped,
    }))
}

/// There and back, one after the other.
pub(crate) async fn pings(server: String) -> anyhow::Result<Value> {
    let mut pair = Pair::open(&server).await?;
    let mut times = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let begin = Instant::now();
        drop(pair.peer.queue(&pair.other, PING).await?);
        loop {
            match pair.events.next().await.context("the peer ended")? {
                Event::Message { .. } => break,
                Event::Disconnected { .. } => bail!("the channel broke"),
                _ => {}
            }
        }
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    pair.peer.leave().await;
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| tenth(times[(PINGS * percent).div_ceil(100) - 1]);
    Ok(json!({
        "figure": "ping", "message_bytes": PING.len(), "pings": PINGS,
        "us": { "p50": at(50), "p90": at(90), "p99": at(99) },
    }))
}

pub(crate) async fn bursts(server: String) -> anyhow::Result<Value> {
    let mut pair = Pair::open(&server).await?;
    let (dropped, mut pauses) = (dropped()?, Vec::new());
    for _ in 0..BURSTS {
        for number in 0..MESSAGES {
            drop(pair.peer.queue(&pair.other, format!("message {number}")).await?);
        }
        pauses.push(pair.end().await?.pause_ms);
    }
    pair.peer.leave().await;
    pauses.sort_by(f64::total_cmp);
    let (half, most) = (pauses[BURSTS / 2 - 1], pauses[BURSTS - 1]);
    let long = pauses.iter().filter(|pause| **pause > LONG_MS).count();
    let dropped = self::dropped()? - dropped;
    Ok(json!({
        "figure": "burst", "bursts": BURSTS, "messages": MESSAGES, "longest_pause_ms": { "p50": tenth(half), "max": tenth(most) },
        "above_20_ms": long, "datagrams_dropped": dropped,
    }))
}

/// So much to who is in the room, and until all of it is acknowledged.
pub(crate) async fn to(server: String, room: String, megabytes: usize) -> anyhow::Result<()> {
    let (peer, mut events) = join(&server, &room).await?;
    let other = loop {
        if let Event::Connected { peer_id, .. } = events.next().await.context("the peer ended")? {
            break peer_id;
        }
    };
    // What the other side says is read and dropped.
    tokio::spawn(async move { while events.next().await.is_some() {} });
    for length in [4 * 1024, 16 * 1024, 64 * 1024 - 1, 256 * 1024] {
        let (message, dropped, begin) = ("x".repeat(length), dropped()?, Instant::now());
        for _ in 0..megabytes * 1_000_000 / length {
            drop(peer.queue(&other, message.as_str()).await?);
        }
        peer.flush(&other).await?;
        let (seconds, dropped) = (begin.elapsed().as_secs_f64(), self::dropped()? - dropped);
        println!(
            "{}",
            json!({
                "figure": "to", "message_bytes": length, "megabytes": megabytes, "seconds": seconds,
                "datagrams_dropped": dropped,
            })
        );
    }
    peer.leave().await;
    Ok(())
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// Datagrams that this machine's full UDP sockets have dropped so far.
fn dropped() -> anyhow::Result<i64> {
    let text = std::fs::read_to_string("/proc/net/snmp")?;
    let mut lines = text.lines().filter(|line| line.starts_with("Udp:")).map(str::split_whitespace);
    let (names, numbers) = (lines.next().context("no Udp line")?, lines.next().context("no Udp line")?);
    let (_, dropped) = names.zip(numbers).find(|(name, _)| *name == "RcvbufErrors").context("no RcvbufErrors")?;
    Ok(dropped.parse()?)
}
