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

use super::{
    frame,
    report::{Limit, Measure},
    socket::Socket,
    target::Target,
    window::{Meter, Plan},
};

const BUFFER: usize = 16 * 1024;
/// One peer in so many looks at when a message was sent. The others only count it, which costs less.
const WITNESS: usize = 10;
const STAMP: &[u8] = br#""sent":"#;

/// What is broadcast.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Peers in the room.
    #[arg(long, default_value_t = Self::default().peers)]
    pub peers: u64,
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
            let (server, name) = (target.address(), format!("broadcast-{depth}"));
            members.push(Socket::join(server, Ipv4Addr::LOCALHOST, &name, &format!("p{peer:03}"), BUFFER).await?);
        }
        for (index, socket) in members.into_iter().enumerate() {
            tasks.spawn(room.clone().member(socket, index % WITNESS == 1));
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
    /// Deliveries of one broadcast.
    others: u64,
    depth: u64,
    sent: AtomicU64,
    delivered: AtomicU64,
}

impl Room {
    fn new(shape: &Shape, depth: u64) -> Self {
        let (sent, delivered) = (AtomicU64::new(0), AtomicU64::new(0));
        let (meter, start) = (Meter::default(), Instant::now());
        Self { meter, start, bytes: shape.bytes, others: shape.peers.max(2) - 1, depth, sent, delivered }
    }

    /// Reads what comes, and is the one that sends whenever its own delivery was the last of a broadcast.
    async fn member(self: Arc<Self>, mut socket: Socket, witness: bool) -> anyhow::Result<()> {
        loop {
            while self.has_room() {
                self.sent.fetch_add(1, Relaxed);
                socket.send(&frame::encode(frame::TEXT, self.message().as_bytes())).await?;
            }
            socket.wait().await?;
            let (mut count, mut latencies) = (0, Vec::new());
            let now = self.start.elapsed();
            while let Some(message) = socket.take()? {
                if frame::is(message, "broadcast_message")? {
                    count += 1;
                    latencies.extend(stamp(message).filter(|_| witness).map(|sent| now.saturating_sub(sent)));
                }
            }
            self.delivered.fetch_add(count, Relaxed);
            self.meter.record(count, latencies.into_iter());
        }
    }

    fn has_room(&self) -> bool {
        let under_way = self.sent.load(Relaxed) * self.others - self.delivered.load(Relaxed);
        under_way <= (self.depth - 1) * self.others
    }

    fn message(&self) -> String {
        let sent = self.start.elapsed().as_nanos();
        let head = format!(r#"{{"type":"broadcast","data":{{"sent":{sent},"text":""#);
        let text = "x".repeat(self.bytes.saturating_sub(head.len() + 3));
        format!(r#"{head}{text}"}}}}"#)
    }
}

/// When a message was sent, as time since the start.
fn stamp(message: &[u8]) -> Option<Duration> {
    let start = message.windows(STAMP.len()).position(|bytes| bytes == STAMP)? + STAMP.len();
    let digits = message.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(Duration::from_nanos(digits.fold(0, |nanos, digit| nanos * 10 + u64::from(digit - b'0'))))
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
        assert_eq!(stamp(br#"{"data":{"sent":1234567,"text":"#), Some(Duration::from_nanos(1_234_567)));
    }

    #[test]
    fn so_many_broadcasts_are_under_way_and_no_more() {
        let room = Room::new(&Shape::default(), 2);
        room.sent.store(1, Relaxed);
        assert!(room.has_room());
        room.sent.store(2, Relaxed);
        assert!(!room.has_room());
        room.delivered.store(99, Relaxed);
        assert!(room.has_room());
    }
}
