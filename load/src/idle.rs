//! Memory of idle sockets.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    report::{Limit, Measure},
    socket::{Socket, source},
    target::Target,
};

const WORKERS: usize = 64;
const ROOM_PEERS: usize = 4;
const BUFFER: usize = 256;
/// What the server does after a join is over by then; and it is well before its first ping.
const SETTLE: Duration = Duration::from_secs(1);

/// How many sockets.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Sockets at the first look at the server's memory.
    #[arg(long, default_value_t = Self::default().from)]
    pub from: usize,
    /// Sockets at the second look.
    #[arg(long, default_value_t = Self::default().to)]
    pub to: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { from: 1_000, to: 10_000 }
    }
}

/// Measures resident memory per socket, as the slope between two numbers of sockets in rooms of four.
///
/// # Errors
/// When a join fails, or a socket does not live until the end.
pub async fn measure(target: &Target, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    anyhow::ensure!(shape.from < shape.to, "--from has to be less than --to");
    let mut sockets = Vec::new();
    let mut looks = Vec::new();
    for count in [shape.from, shape.to] {
        join_up_to(target.address(), count, &mut sockets).await?;
        sleep(SETTLE).await;
        looks.push(target.resident_bytes()?);
    }
    for socket in &mut sockets {
        socket.drain().context("a socket did not live until the end")?;
    }
    measures.push(slope(shape, &looks).goal("bytes_per_socket", Limit::AtMost, 9_000.0).show());
    Ok(())
}

fn slope(shape: &Shape, looks: &[u64]) -> Measure {
    let (first, last) = (looks.first().copied().unwrap_or(0) as f64, looks.last().copied().unwrap_or(0) as f64);
    let figures = vec![
        ("bytes_per_socket", (last - first) / (shape.to - shape.from) as f64),
        ("resident_bytes_before", first),
        ("resident_bytes_after", last),
    ];
    Measure::new("idle", "socket", figures)
}

async fn join_up_to(server: SocketAddr, count: usize, sockets: &mut Vec<Socket>) -> anyhow::Result<()> {
    let missing = sockets.len()..count;
    let mut tasks = JoinSet::new();
    for worker in 0..WORKERS {
        tasks.spawn(join_some(server, missing.clone().skip(worker).step_by(WORKERS)));
    }
    while let Some(joined) = tasks.join_next().await {
        sockets.extend(joined.context("the load has a bug")??);
    }
    Ok(())
}

async fn join_some(server: SocketAddr, numbers: impl Iterator<Item = usize>) -> anyhow::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for number in numbers {
        let (room, peer) = (format!("idle-{}", number / ROOM_PEERS), format!("p{number}"));
        let socket = Socket::join(server, source(number), &room, &peer, BUFFER).await;
        sockets.push(socket.with_context(|| format!("socket {number}"))?);
    }
    Ok(sockets)
}
