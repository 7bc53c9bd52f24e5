//! Signals between pairs of peers.

use std::{
    collections::VecDeque,
    iter::repeat_n,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    door::Door,
    frame,
    report::{Limit, Measure},
    socket::Socket,
    target::Target,
    window::{Meter, Plan, Sample},
};

const BUFFER: usize = 32 * 1024;

/// What is relayed.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Pairs of peers, each in a room of its own.
    #[arg(long, default_value_t = Self::default().pairs)]
    pub pairs: usize,
    /// Bytes of one message.
    #[arg(long, default_value_t = Self::default().bytes)]
    pub bytes: usize,
    /// Messages under way in each pair, instead of one and then sixteen.
    #[arg(long)]
    pub depth: Option<usize>,
}

impl Default for Shape {
    fn default() -> Self {
        Self { pairs: 32, bytes: 500, depth: None }
    }
}

/// When the messages that are under way in one direction were sent, oldest first: they arrive in this order.
type UnderWay = Arc<Mutex<VecDeque<Instant>>>;

/// Measures one message under way in each pair, and sixteen; or the depth that was asked for.
///
/// # Errors
/// When a connection fails or the server answers with an error.
pub async fn measure(target: &Target, plan: Plan, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let depths = shape.depth.map_or(vec![1, 16], |depth| vec![depth.max(1)]);
    for depth in depths {
        let sample = sample(target, plan, shape, depth).await?;
        let measure = Measure::of(format!("relay.{depth}"), "message", &sample);
        let measure = match depth {
            1 => measure.goal("server_cpu_us", Limit::AtMost, 7.0),
            16 => measure.goal("server_cpu_us", Limit::AtMost, 2.3),
            _ => measure,
        };
        measures.push(measure.show());
    }
    Ok(())
}

/// What so many messages under way in each pair take.
///
/// # Errors
/// As [`measure`].
pub async fn sample(target: &Target, plan: Plan, shape: &Shape, depth: usize) -> anyhow::Result<Sample> {
    let meter = Arc::new(Meter::default());
    let mut tasks = JoinSet::new();
    for pair in 0..shape.pairs {
        start_pair(target.door(), &format!("relay-{depth}-{pair}"), shape.bytes, depth, &meter, &mut tasks).await?;
    }
    meter.window(target, plan, &mut tasks).await
}

async fn start_pair(
    door: &Door,
    room: &str,
    bytes: usize,
    depth: usize,
    meter: &Arc<Meter>,
    tasks: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let a = Socket::join(door, Ipv4Addr::LOCALHOST, room, "a", BUFFER).await?;
    let b = Socket::join(door, Ipv4Addr::LOCALHOST, room, "b", BUFFER).await?;
    let (to_a, to_b) = (UnderWay::default(), UnderWay::default());
    for (socket, target, first, inbound, outbound) in [(b, "a", 0, &to_b, &to_a), (a, "b", depth, &to_a, &to_b)] {
        let message = frame::encode(frame::TEXT, offer(target, bytes).as_bytes());
        let end = End { socket, message, depth, inbound: inbound.clone(), outbound: outbound.clone() };
        tasks.spawn(end.run(first, meter.clone()));
    }
    Ok(())
}

/// One peer of a pair: it answers every message with one.
struct End {
    socket: Socket,
    message: Vec<u8>,
    depth: usize,
    inbound: UnderWay,
    outbound: UnderWay,
}

impl End {
    async fn run(mut self, first: usize, meter: Arc<Meter>) -> anyhow::Result<()> {
        let messages = self.message.repeat(self.depth);
        let mut due = first;
        loop {
            lock(&self.outbound).extend(repeat_n(Instant::now(), due));
            self.socket.send(messages.get(..due * self.message.len()).unwrap_or_default()).await?;
            self.socket.wait().await?;
            due = 0;
            while let Some(message) = self.socket.take()? {
                due += usize::from(frame::is(message, "webrtc_signal")?);
            }
            let now = Instant::now();
            let mut inbound = lock(&self.inbound);
            anyhow::ensure!(due <= inbound.len(), "more messages arrived than were sent");
            meter.record(due as u64, inbound.drain(..due).map(|sent| now - sent));
        }
    }
}

fn lock(under_way: &UnderWay) -> std::sync::MutexGuard<'_, VecDeque<Instant>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An offer of about this many bytes.
fn offer(target: &str, bytes: usize) -> String {
    let line = "a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host\r\n";
    let build = |sdp: &str| {
        json!({"type": "offer", "target_peer_id": target, "offer": {"type": "offer", "sdp": sdp}}).to_string()
    };
    // A line feed takes two bytes in JSON, and so does a carriage return.
    let lines = bytes.saturating_sub(build("").len()) / (line.len() + 2);
    build(&line.repeat(lines.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_about_as_long_as_asked_for() {
        for bytes in [200, 500, 4_000] {
            let length = offer("b", bytes).len();
            assert!(length.abs_diff(bytes) <= 60, "{length} for {bytes}");
        }
    }
}
