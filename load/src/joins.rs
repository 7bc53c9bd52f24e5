//! Joins: many clients at once connect, upgrade, get their `room_state`, close, and come again.

use std::{sync::Arc, time::Instant};

use tokio::task::JoinSet;

use crate::{
    door::Door,
    report::{Limit, Measure},
    socket::{Socket, source},
    target::Target,
    window::{Meter, Plan, Sample},
};

const BUFFER: usize = 1024;
/// How clients join.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Clients at once.
    #[arg(long, default_value_t = Self::default().workers)]
    pub workers: usize,
    /// Rooms that they are spread over, with new names after every eighth join.
    #[arg(long, default_value_t = Self::default().rooms)]
    pub rooms: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { workers: 64, rooms: 32 }
    }
}

/// Measures joins. One join is all of it: connect, upgrade, `room_state`, close frames, end of the connection. The
/// latency is that of the `room_state`, from before the connect.
///
/// # Errors
/// When a join fails, or is not closed with 1000.
pub async fn measure(target: &Target, plan: Plan, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let sample = sample(target, plan, shape).await?;
    let measure = Measure::of("joins", "join", &sample).goal("per_second", Limit::AtLeast, 15_000.0);
    measures.push(measure.show());
    Ok(())
}

/// What joins take.
///
/// # Errors
/// As [`measure`].
pub async fn sample(target: &Target, plan: Plan, shape: &Shape) -> anyhow::Result<Sample> {
    let meter = Arc::new(Meter::default());
    let mut tasks = JoinSet::new();
    for worker in 0..shape.workers.max(1) {
        tasks.spawn(come_and_go(target.door().clone(), worker, shape.rooms.max(1), meter.clone()));
    }
    meter.window(target, plan, &mut tasks).await
}

async fn come_and_go(door: Door, worker: usize, rooms: usize, meter: Arc<Meter>) -> anyhow::Result<()> {
    let (source, room) = (source(worker), worker % rooms);
    for round in 0_u64.. {
        let start = Instant::now();
        let (room, peer) = (format!("joins-{room}-{}", round / 8), format!("p{worker}-{round}"));
        let socket = Socket::join(&door, source, &room, &peer, BUFFER).await?;
        let latency = start.elapsed();
        socket.close().await?;
        meter.record(1, std::iter::once(latency));
    }
    Ok(())
}
