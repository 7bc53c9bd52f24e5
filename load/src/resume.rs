//! Sockets that drop all at once, and come back all at once: to nothing new, to much that was missed, and to a server that was
//! killed.

mod client;
mod killed;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use self::client::{BUFFER, Client, join_all, name};
use crate::{
    door::Door,
    frame::{self, TEXT},
    report::{Limit, Measure},
    socket::{Socket, source},
    target::Target,
};

/// How many come back, and to what.
#[derive(Clone, Debug, clap::Args)]
pub struct Shape {
    /// Sockets that drop.
    #[arg(long, default_value_t = Self::default().clients)]
    pub clients: usize,
    /// Sockets of them in each room.
    #[arg(long, default_value_t = Self::default().room_peers)]
    pub room_peers: usize,
    /// Broadcasts that each of them misses.
    #[arg(long, default_value_t = Self::default().missed)]
    pub missed: usize,
    /// Bytes of the `data` of a broadcast.
    #[arg(long, default_value_t = Self::default().bytes)]
    pub bytes: usize,
    /// End the server without a warning instead, and start it again.
    #[arg(long)]
    pub killed: bool,
    /// Seconds between the two.
    #[arg(long, default_value_t = Self::default().down)]
    pub down: f64,
}

impl Default for Shape {
    fn default() -> Self {
        Self { clients: 10_000, room_peers: 10, missed: 300, bytes: 100, killed: false, down: 1.0 }
    }
}

/// Measures how long it takes until everybody is back: right after all sockets were reset, whether the server has noticed
/// or not; and once more after it has, with broadcasts that were missed meanwhile. Each client has to be told
/// `recovered: true` and to get every broadcast in its order. Or, after the server was killed, until everybody is in again.
///
/// # Errors
/// When somebody does not come back to all that it missed.
pub async fn measure(target: &mut Target, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    ensure!((1..=200).contains(&shape.room_peers), "--room-peers has to be from 1 to 200");
    let clients = join_all(target.door(), shape.clients, shape.room_peers).await?;
    if shape.killed {
        ensure!((0.0..=60.0).contains(&shape.down), "--down has to be from 0 to 60");
        let measure = killed::measure(target, clients, Duration::from_secs_f64(shape.down)).await?;
        measures.push(measure.show());
        return Ok(());
    }
    dropped(target, shape, clients, measures).await
}

async fn dropped(
    target: &Target,
    shape: &Shape,
    mut clients: Vec<Client>,
    measures: &mut Vec<Measure>,
) -> anyhow::Result<()> {
    let start = Start::now(target)?;
    drop_all(&mut clients)?;
    let mut clients = all_back(target.door(), clients, 0).await?;
    let measure = start.measure("resume.0", &clients)?.goal("seconds", Limit::AtMost, 15.0);
    measures.push(measure.show());

    let mut senders = Vec::new();
    for room in 0..shape.clients.div_ceil(shape.room_peers) {
        senders.push(Socket::join(target.door(), source(room), &name(room), "sender", BUFFER).await?);
    }
    clients.iter_mut().for_each(|client| (client.others, client.tries) = (client.others + 1, 0));
    let start = Start::now(target)?;
    drop_all(&mut clients)?;
    let _senders = while_away(senders, shape).await?;
    let away = target.resident_bytes()?.saturating_sub(start.resident) as f64;
    let start = Start { time: Instant::now(), cpu: target.cpu()?, ..start };
    let mut clients = all_back(target.door(), clients, shape.missed).await?;
    let mut measure = start.measure(format!("resume.{}", shape.missed), &clients)?;
    measure.figures.push(("resident_bytes_more_while_away", away));
    let measure = measure.goal("seconds", Limit::AtMost, 30.0).goal("resident_bytes_more", Limit::AtMost, 200e6);
    measures.push(measure.show());
    for socket in clients.iter_mut().filter_map(|client| client.socket.as_mut()) {
        socket.drain().context("a socket did not live until the end")?;
    }
    Ok(())
}

/// What a return is measured from.
struct Start<'a> {
    target: &'a Target,
    time: Instant,
    cpu: Duration,
    resident: u64,
}

impl<'a> Start<'a> {
    fn now(target: &'a Target) -> anyhow::Result<Self> {
        target.forget_peak()?;
        Ok(Self { target, time: Instant::now(), cpu: target.cpu()?, resident: target.resident_bytes()? })
    }

    fn measure(&self, name: impl Into<String>, clients: &[Client]) -> anyhow::Result<Measure> {
        let (seconds, count) = (self.time.elapsed().as_secs_f64(), clients.len() as f64);
        let refused = clients.iter().map(|client| f64::from(client.tries)).sum();
        let cpu = (self.target.cpu()? - self.cpu).as_secs_f64();
        let more = self.target.peak_bytes()?.saturating_sub(self.resident) as f64;
        let figures = vec![
            ("count", count),
            ("seconds", seconds),
            ("refused", refused),
            ("server_cpu_us", cpu * 1e6 / count),
            ("resident_bytes_before", self.resident as f64),
            ("resident_bytes_more", more),
        ];
        Ok(Measure::new(name, "client", figures))
    }
}

/// Resets all of them. What has arrived by now was received.
fn drop_all(clients: &mut [Client]) -> anyhow::Result<()> {
    for client in clients {
        let Some(mut socket) = client.socket.take() else { continue };
        while let Some(frame) = socket.take()? {
            client.received += 1;
            frame::is(frame, "peer_away")?;
        }
        socket.reset()?;
    }
    Ok(())
}

/// Waits until the server has noticed that everybody is gone, and sends what they miss. Gives the senders back.
async fn while_away(senders: Vec<Socket>, shape: &Shape) -> anyhow::Result<Vec<Socket>> {
    let mut tasks = JoinSet::new();
    for (room, sender) in senders.into_iter().enumerate() {
        let peers = shape.room_peers.min(shape.clients - room * shape.room_peers);
        tasks.spawn(send_to_absent(sender, peers, shape.missed, "x".repeat(shape.bytes)));
    }
    let mut senders = Vec::new();
    while let Some(sender) = tasks.join_next().await {
        senders.push(sender.context("the load has a bug")??);
    }
    Ok(senders)
}

async fn send_to_absent(mut sender: Socket, peers: usize, messages: usize, data: String) -> anyhow::Result<Socket> {
    let broadcast = frame::encode(TEXT, json!({"type": "broadcast", "data": data}).to_string().as_bytes());
    let mut gone = HashSet::new();
    while gone.len() < peers {
        let notice: Value = serde_json::from_slice(sender.next().await?)?;
        if notice["type"] == "peer_away" {
            gone.insert(notice["peer_id"].as_str().unwrap_or_default().to_owned());
        }
    }
    for _ in 0..messages {
        sender.send(&broadcast).await?;
    }
    settle(&mut sender).await?;
    Ok(sender)
}

/// Waits until the server has done all that it was asked for, and takes what it has sent by then.
async fn settle(sender: &mut Socket) -> anyhow::Result<()> {
    sender.send(&frame::encode(TEXT, br#"{"type":"ping"}"#)).await?;
    while !frame::is(sender.next().await?, "pong")? {}
    Ok(())
}

/// Has all of them come back at the same moment.
async fn all_back(door: &Door, clients: Vec<Client>, missed: usize) -> anyhow::Result<Vec<Client>> {
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn(client.come_back(door.clone(), missed));
    }
    let mut back = Vec::new();
    while let Some(client) = tasks.join_next().await {
        back.push(client.context("the load has a bug")??);
    }
    Ok(back)
}
