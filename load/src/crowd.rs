//! A room of many, in which somebody says something so often: whether all of them get all of it in order, and how late.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::{
    task::JoinSet,
    time::{interval, timeout},
};

use crate::{
    door::Door,
    frame::{self, TEXT},
    report::{Limit, Measure},
    socket::Socket,
    target::Target,
    window::{Plan, percentile},
};

const BUFFER: usize = 1024;
/// What is late by so much does not come.
const LATE: Duration = Duration::from_secs(30);

/// How many hear how much.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Peers in the room, the one who speaks included.
    #[arg(long, default_value_t = Self::default().peers)]
    pub peers: usize,
    /// Messages a second.
    #[arg(long, default_value_t = Self::default().rate)]
    pub rate: u32,
}

impl Default for Shape {
    fn default() -> Self {
        Self { peers: 1_000, rate: 10 }
    }
}

/// Measures how late messages are, from before each is sent until each peer has it.
///
/// # Errors
/// When one is missing, or not in its order.
pub async fn measure(target: &Target, plan: Plan, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    ensure!(shape.rate > 0 && shape.peers > 1, "--rate has to be at least 1, and --peers 2");
    let messages = (plan.length.as_secs_f64() * f64::from(shape.rate)).ceil().max(1.0) as u64;
    let mut speaker = join(target.door(), 0).await?;
    let (start, mut members) = (Instant::now(), JoinSet::new());
    for number in 1..shape.peers {
        members.spawn(listen(join(target.door(), number).await?, messages, start));
        // It is told of everybody who comes, too.
        speaker.tend().await?;
    }
    let speech = async {
        let mut ticks = interval(Duration::from_secs(1) / shape.rate);
        for _ in 0..messages {
            ticks.tick().await;
            let message = format!(r#"{{"type":"broadcast","data":{{"sent":{}}}}}"#, start.elapsed().as_nanos());
            speaker.send(&frame::encode(TEXT, message.as_bytes())).await?;
            speaker.tend().await?;
        }
        anyhow::Ok(())
    };
    speech.await?;
    let all = async {
        let mut nanos: Vec<u32> = Vec::new();
        while let Some(heard) = members.join_next().await {
            nanos.extend(heard.context("the load has a bug")??);
        }
        anyhow::Ok(nanos)
    };
    let mut nanos =
        timeout(LATE, all).await.with_context(|| format!("not all was heard {LATE:?} after the last"))??;
    nanos.sort_unstable();
    let most = f64::from(nanos.last().copied().unwrap_or_default()) / 1e3;
    let figures = vec![
        ("count", nanos.len() as f64),
        ("p50_us", percentile(&nanos, 50)),
        ("p99_us", percentile(&nanos, 99)),
        ("most_us", most),
    ];
    measures.push(Measure::new("crowd", "delivery", figures).goal("p99_us", Limit::AtMost, 50_000.0).show());
    Ok(())
}

async fn join(door: &Door, number: usize) -> anyhow::Result<Socket> {
    let joined = Socket::join(door, Ipv4Addr::LOCALHOST, "crowd", &format!("p{number}"), BUFFER).await;
    joined.with_context(|| format!("peer {number}"))
}

/// How late each of so many messages is.
async fn listen(mut socket: Socket, messages: u64, start: Instant) -> anyhow::Result<Vec<u32>> {
    let mut nanos = Vec::new();
    for seq in 1..=messages {
        let message = loop {
            let message = socket.next().await?;
            if frame::is(message, "broadcast_message")? {
                break message;
            }
        };
        let (now, number) = (start.elapsed(), frame::number(message, "seq"));
        ensure!(number == Some(seq), "instead of broadcast {seq} came {}", String::from_utf8_lossy(message));
        let sent = Duration::from_nanos(frame::number(message, "sent").context("a message without its time")?);
        nanos.push(u32::try_from(now.saturating_sub(sent).as_nanos()).unwrap_or(u32::MAX));
    }
    Ok(nanos)
}
