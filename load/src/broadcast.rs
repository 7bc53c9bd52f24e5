//! Broadcasts in one large room.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    frame,
    report::{Limit, Measure},
    socket::Socket,
    target::Target,
    window::{Meter, Plan},
};

const BUFFER: usize = 16 * 1024;
/// One peer in so many looks at when a message was sent. The others only count it, which costs less.
const WITNESS: usize = 10;

/// What is broadcast.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Peers in the room.
    #[arg(long, default_value_t = Self::default().peers)]
    pub peers: usize,
    /// Bytes of one message.
    #[arg(long, default_value_t = Self::default().bytes)]
    pub bytes: usize,
    /// Broadcasts under way, instead of one and then sixteen.
    #[arg(long)]
    pub depth: Option<u64>,
}

impl Default for Shape {
    fn default() -> Self {
        Self { peers: 100, bytes: 200, depth: None }
    }
}

/// Measures one broadcast under way, and sixteen; or the depth that was asked for.
///
/// # Errors
/// When a connection fails or the server answers with an error.
pub async fn measure(target: &Target, plan: Plan, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let depths = shape.depth.map_or(vec![1, 16], |depth| vec![depth.max(1)]);
    for depth in depths {
        let room = Arc::new(Room::new(shape, depth));
        let mut tasks = JoinSet::new();
        let mut members = Vec::new();
        for peer in 0..shape.peers.max(2) {
            let name = format!("broadcast-{depth}");
            members
                .push(Socket::join(target.door(), Ipv4Addr::LOCALHOST, &name, &format!("p{peer:03}"), BUFFER).await?);
        }
        for (index, socket) in members.into_iter().enumerate() {
            tasks.spawn(room.clone().member(socket, index));
        }
        let sample = room.meter.window(target, plan, &mut tasks).await?;
        let measure = Measure::of(format!("broadcast.{depth}"), "delivery", &sample);
        let measure = match depth {
            16 => measure.goal("server_cpu_us", Limit::AtMost, 2.4),
            _ => measure,
        };
        measures.push(measure.show());
    }
    Ok(())
}

/// What the members of the room share.
struct Room {
    meter: Meter,
    start: Instant,
    bytes: usize,
    depth: u64,
    sent: AtomicU64,
    /// How many broadcasts each member has seen, its own included.
    seen: Vec<AtomicU64>,
}

impl Room {
    fn new(shape: &Shape, depth: u64) -> Self {
        let (meter, start, sent) = (Meter::default(), Instant::now(), AtomicU64::new(0));
        let seen = (0..shape.peers.max(2)).map(|_| AtomicU64::new(0)).collect();
        Self { meter, start, bytes: shape.bytes, depth, sent, seen }
    }

    /// Reads what comes, and is the one that sends whenever it was the last to see a broadcast.
    async fn member(self: Arc<Self>, mut socket: Socket, index: usize) -> anyhow::Result<()> {
        let witness = index % WITNESS == 1;
        loop {
            while self.has_room() {
                self.sent.fetch_add(1, Relaxed);
                self.see(index, 1);
                socket.send(&frame::encode(frame::TEXT, self.message().as_bytes())).await?;
            }
            socket.wait().await?;
            let (mut count, mut latencies) = (0, Vec::new());
            let now = self.start.elapsed();
            while let Some(message) = socket.take()? {
                if frame::is(message, "broadcast_message")? {
                    count += 1;
                    latencies.extend(sent(message).filter(|_| witness).map(|sent| now.saturating_sub(sent)));
                }
            }
            self.see(index, count);
            self.meter.record(count, latencies.into_iter());
        }
    }

    fn see(&self, index: usize, count: u64) {
        if let Some(seen) = self.seen.get(index) {
            seen.fetch_add(count, Relaxed);
        }
    }

    /// Whether one more may be under way. The slowest member counts: the server gives up one that falls far behind.
    fn has_room(&self) -> bool {
        let seen_by_all = self.seen.iter().map(|seen| seen.load(Relaxed)).min().unwrap_or_default();
        self.sent.load(Relaxed) - seen_by_all < self.depth
    }

    fn message(&self) -> String {
        let sent = self.start.elapsed().as_nanos();
        let head = format!(r#"{{"type":"broadcast","data":{{"sent":{sent},"text":""#);
        let text = "x".repeat(self.bytes.saturating_sub(head.len() + 3));
        format!(r#"{head}{text}"}}}}"#)
    }
}

/// When a message was sent, as time since the start.
fn sent(message: &[u8]) -> Option<Duration> {
    frame::number(message, "sent").map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_long_as_asked_for_and_carries_its_time() {
        let room = Room::new(&Shape::default(), 1);
        let message = room.message();
        assert_eq!(message.len(), 200);
        assert!(serde_json::from_str::<serde_json::Value>(&message).unwrap()["data"]["sent"].is_u64());
        assert_eq!(sent(br#"{"data":{"sent":1234567,"text":"#), Some(Duration::from_nanos(1_234_567)));
    }

    #[test]
    fn so_many_broadcasts_are_under_way_and_no_more() {
        let room = Room::new(&Shape::default(), 2);
        room.sent.store(1, Relaxed);
        assert!(room.has_room());
        room.sent.store(2, Relaxed);
        assert!(!room.has_room());
        (1..100).for_each(|index| room.see(index, 2));
        assert!(!room.has_room());
        room.see(0, 1);
        assert!(room.has_room());
    }
}
