//! Memory of idle sockets, and the CPU time that they take.

use std::time::Duration;

use anyhow::Context;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::{
    door::Door,
    report::{Limit, Measure},
    server_args::ServerArgs,
    socket::{Socket, source},
    target::Target,
    variants::{ALL, Variants},
};

const WORKERS: usize = 64;
const ROOM_PEERS: usize = 4;
const BUFFER: usize = 256;
/// Sockets that join before pings are answered again.
const STEP: usize = 2_000;
/// What the server does after a join is over by then; and it is well before its first ping.
const SETTLE: Duration = Duration::from_secs(1);
/// How often the server's pings are answered: it waits for ten seconds.
const TEND: Duration = Duration::from_secs(1);

/// How many sockets.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Sockets at the first look at the server's memory.
    #[arg(long, default_value_t = Self::default().from)]
    pub from: usize,
    /// Sockets at the second look.
    #[arg(long, default_value_t = Self::default().to)]
    pub to: usize,
    /// Seconds for which they stay after that, while the server's CPU time is measured.
    #[arg(long, default_value_t = Self::default().hold)]
    pub hold: u64,
    /// Three servers one after the other instead: as it is without keys; with a key and a token for each socket; over TLS too.
    #[arg(long)]
    pub compare: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self { from: 1_000, to: 10_000, hold: 0, compare: false }
    }
}

/// Measures resident memory per socket, as the slope between two numbers of sockets in rooms of four, and what the server does
/// while they are held.
///
/// # Errors
/// When a join fails, or a socket does not live until the end.
pub async fn measure(target: &Target, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let measure = look(target, "idle", shape).await?;
    measures.push(measure.goal("bytes_per_socket", Limit::AtMost, 9_000.0).show());
    Ok(())
}

/// The same for the server in its three ways.
///
/// # Errors
/// As [`measure`], and when a server does not start.
pub async fn compare(args: &ServerArgs, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let variants = Variants::new(args)?;
    let mut bytes = Vec::new();
    for variant in ALL {
        let target = Target::new(&variants.of(variant)).await?;
        let measure = look(&target, &format!("idle.{}", variant.name()), shape).await?;
        target.stop().await?;
        bytes.push(measure.figure("bytes_per_socket"));
        measures.push(measure.show());
    }
    let [open, keys, tls] = bytes[..] else { return Ok(()) };
    let figures = vec![
        ("bytes_with_token", keys),
        ("token_ratio", keys / open),
        ("tls_bytes_more", tls - keys),
        ("tls_ratio", tls / keys),
    ];
    let measure = Measure::new("idle.compare", "socket", figures).goal("bytes_with_token", Limit::AtMost, 10_000.0);
    measures.push(measure.goal("tls_bytes_more", Limit::AtMost, 12_000.0).show());
    Ok(())
}

async fn look(target: &Target, name: &str, shape: &Shape) -> anyhow::Result<Measure> {
    anyhow::ensure!(shape.from < shape.to, "--from has to be less than --to");
    let mut sockets = Vec::new();
    let mut looks = Vec::new();
    for count in [shape.from, shape.to] {
        while sockets.len() < count {
            join_up_to(target.door(), count.min(sockets.len() + STEP), &mut sockets).await?;
            hold(&mut sockets, Duration::ZERO).await.context("a socket did not live while others joined")?;
        }
        sleep(SETTLE).await;
        looks.push(target.resident_bytes()?);
    }
    let mut measure = slope(name, shape, &looks);
    let (since, before) = (Instant::now(), target.cpu()?);
    hold(&mut sockets, Duration::from_secs(shape.hold)).await.context("a socket did not live until the end")?;
    if shape.hold > 0 {
        let idle = since.elapsed().as_secs_f64();
        measure.figures.push(("held_seconds", idle));
        measure.figures.push(("held_cpus", (target.cpu()? - before).as_secs_f64() / idle));
        measure.figures.push(("resident_bytes_held", target.resident_bytes()? as f64));
    }
    Ok(measure)
}

/// Answers pings for so long. Nobody may be missing then.
async fn hold(sockets: &mut [Socket], time: Duration) -> anyhow::Result<()> {
    let (mut ticks, end) = (interval(TEND), Instant::now() + time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = ticks.tick().await;
        for socket in &mut *sockets {
            socket.tend().await?;
        }
        if now >= end {
            return Ok(());
        }
    }
}

fn slope(name: &str, shape: &Shape, looks: &[u64]) -> Measure {
    let (first, last) = (looks.first().copied().unwrap_or(0) as f64, looks.last().copied().unwrap_or(0) as f64);
    let figures = vec![
        ("bytes_per_socket", (last - first) / (shape.to - shape.from) as f64),
        ("resident_bytes_before", first),
        ("resident_bytes_after", last),
    ];
    Measure::new(name, "socket", figures)
}

async fn join_up_to(door: &Door, count: usize, sockets: &mut Vec<Socket>) -> anyhow::Result<()> {
    let missing = sockets.len()..count;
    let mut tasks = JoinSet::new();
    for worker in 0..WORKERS {
        tasks.spawn(join_some(door.clone(), missing.clone().skip(worker).step_by(WORKERS)));
    }
    while let Some(joined) = tasks.join_next().await {
        sockets.extend(joined.context("the load has a bug")??);
    }
    Ok(())
}

async fn join_some(door: Door, numbers: impl Iterator<Item = usize>) -> anyhow::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for number in numbers {
        let (room, peer) = (format!("idle-{}", number / ROOM_PEERS), format!("p{number}"));
        let socket = Socket::join(&door, source(number), &room, &peer, BUFFER).await;
        sockets.push(socket.with_context(|| format!("socket {number}"))?);
    }
    Ok(sockets)
}
