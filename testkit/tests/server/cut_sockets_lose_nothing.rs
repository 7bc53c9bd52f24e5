//! A hundred peers in rooms of ten talk while their sockets are cut at random, at whatever point: nobody misses anything, gets
//! anything twice or in another order, and the server is afterwards as it was before.

mod peer;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::Context;
use fastrand::Rng;
use grtc_testkit::{Launch, ServerProcess};
use tokio::{
    sync::mpsc::{Sender, channel},
    task::JoinHandle,
    time::{interval, sleep},
};

use peer::{Cut, Do, Peer};

const ROOMS: usize = 10;
const PEERS: usize = 10;
/// 20 broadcasts and 20 direct messages a second.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(25);
/// Orders that wait while their peer is away.
const QUEUE: usize = 1_000;
const LOOK: Duration = Duration::from_millis(20);
/// The server looks after a client that went without a word for so long.
const SETTLED: Duration = Duration::from_secs(15);
/// What an allocator may keep for later.
const SLACK_BYTES: u64 = 8 << 20;

struct Member {
    orders: Sender<Do>,
    task: JoinHandle<anyhow::Result<Peer>>,
}

fn name(room: usize) -> String {
    format!("cuts-{room}")
}

/// Everybody joins, talks and is cut so many times within `length`, and leaves.
async fn talk(server: &ServerProcess, rng: &mut Rng, cuts: u32, length: Duration) -> anyhow::Result<()> {
    let mut rooms: Vec<Vec<Member>> = Vec::new();
    for room in 0..ROOMS {
        let mut members = Vec::new();
        for number in 0..PEERS {
            let peer = Peer::join(server.address(), &name(room), number).await?;
            let (orders, queue) = channel(QUEUE);
            members.push(Member { orders, task: tokio::spawn(peer.live(queue, PEERS)) });
        }
        rooms.push(members);
    }
    direct(&rooms, rng, cuts, length).await?;
    for room in rooms {
        let mut peers = Vec::new();
        for member in room {
            // Who gets no more orders waits until all that it has sent is acknowledged.
            drop(member.orders);
            peers.push(member.task.await.context("a peer panicked")??);
        }
        let (mut there, mut all) = (Vec::new(), Vec::new());
        for mut peer in peers {
            peer.catch_up().await?;
            all.push(peer.id());
            there.push(peer);
        }
        let everybody: BTreeSet<String> = all.iter().cloned().collect();
        let path = format!("/rooms/{}/peers", there[0].room());
        assert_eq!(server.http().get(&path).await?.json()?["peers"], serde_json::json!(all));
        for peer in &there {
            peer.has_all_of(&there, &everybody);
        }
        for peer in there {
            peer.leave().await?;
        }
    }
    Ok(())
}

/// Tells at random who says something, and whose socket is cut.
async fn direct(rooms: &[Vec<Member>], rng: &mut Rng, cuts: u32, length: Duration) -> anyhow::Result<()> {
    let (begin, mut ticks, mut done) = (Instant::now(), interval(BETWEEN_MESSAGES), 0);
    for message in 0_u64.. {
        ticks.tick().await;
        let elapsed = begin.elapsed();
        if elapsed >= length && done == cuts {
            return Ok(());
        }
        let due = (elapsed.as_secs_f64() / length.as_secs_f64() * f64::from(cuts)) as u32;
        while done < due.min(cuts) {
            done += 1;
            let kind = *rng.choice(&[Cut::Reset, Cut::End, Cut::Silence]).unwrap_or(&Cut::End);
            let away = if rng.bool() { Duration::ZERO } else { Duration::from_millis(rng.u64(0..1_000)) };
            let cut = Do::Cut { kind, in_mid_frame: rng.bool(), away, again: rng.u8(0..4) == 0 };
            order(rooms, rng, cut).await?;
        }
        let target = rng.usize(0..PEERS);
        order(rooms, rng, if message % 2 == 0 { Do::Broadcast } else { Do::Direct(target) }).await?;
    }
    Ok(())
}

async fn order(rooms: &[Vec<Member>], rng: &mut Rng, what: Do) -> anyhow::Result<()> {
    let member = &rooms[rng.usize(0..ROOMS)][rng.usize(0..PEERS)];
    member.orders.send(what).await.ok().context("a peer has ended early")
}

async fn cut(cuts: u32, length: Duration) -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let files = server.open_files()?;
    talk(&server, &mut rng, cuts.min(100), length.min(Duration::from_secs(4))).await?;
    settled(&server, files).await?;
    let before = server.resident_bytes()?;
    talk(&server, &mut rng, cuts, length).await?;
    settled(&server, files).await?;
    let after = server.resident_bytes()?;
    eprintln!("{cuts} cuts; the server's memory: {before} bytes before, {after} after");
    assert!(after <= before + SLACK_BYTES, "{before} bytes before, {after} after");
    assert_eq!(server.http().get("/rooms").await?.json()?["total"], 0);
    server.stop().await
}

/// Waits until the server has closed all sockets.
async fn settled(server: &ServerProcess, files: usize) -> anyhow::Result<()> {
    let since = Instant::now();
    while server.open_files()? > files {
        assert!(since.elapsed() < SETTLED, "{} files are open, {files} were", server.open_files()?);
        sleep(LOOK).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_cuts() -> anyhow::Result<()> {
    cut(100, Duration::from_secs(6)).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes two minutes: scripts/test long"]
async fn long_a_thousand_cuts() -> anyhow::Result<()> {
    cut(1_000, Duration::from_secs(100)).await
}
