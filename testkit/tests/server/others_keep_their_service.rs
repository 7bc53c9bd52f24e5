//! Somebody misbehaves, and the others notice nothing: how long the messages of a healthy pair take, before and meanwhile. The
//! figures of the large ones are on demand: on two processors the one who misbehaves has one of them for itself.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use grtc_testkit::{
    Client, Launch, Raw, ServerProcess,
    raw::{Opcode, frame},
};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{interval, timeout},
};

/// Messages of the healthy pair, and how often there is one.
const MESSAGES: usize = 300;
const EVERY: Duration = Duration::from_millis(4);
/// Below this a difference is the machine's own.
const FLOOR: Duration = Duration::from_millis(2);
/// So many times as long is a second and more: how much longer it is takes a machine of its own to say (`long_…`, and `grtc-load others`).
const HELD_UP: u32 = 500;

/// Two who talk.
struct Pair {
    a: Client,
    b: Client,
}

impl Pair {
    async fn join(server: &ServerProcess) -> anyhow::Result<Self> {
        let (mut a, b) = (server.join("healthy", "a").await?, server.join("healthy", "b").await?);
        a.expect("peer_joined").await?;
        Ok(Self { a, b })
    }

    /// How long a message takes, but for one in a hundred.
    async fn p99(&mut self) -> anyhow::Result<Duration> {
        let (mut ticks, mut all) = (interval(EVERY), Vec::new());
        for n in 0..MESSAGES {
            ticks.tick().await;
            let since = Instant::now();
            self.a.send(json!({"type": "message", "target_peer_id": "b", "data": n})).await?;
            assert_eq!(self.b.expect("direct_message").await?["data"], n);
            all.push(since.elapsed());
        }
        all.sort();
        Ok(all[MESSAGES * 99 / 100])
    }

    /// The same while `abuse` goes on, which is ended then.
    async fn p99_beside(
        &mut self,
        abuse: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) -> anyhow::Result<Duration> {
        let abuse = tokio::spawn(abuse);
        let took = self.p99().await?;
        if abuse.is_finished() {
            abuse.await??;
        } else {
            abuse.abort();
        }
        Ok(took)
    }
}

/// With every limit at its default.
async fn server() -> anyhow::Result<ServerProcess> {
    grtc_load::raise_open_files()?;
    let arguments = ["--message-rate", "2000", "--delivery-rate", "50000"];
    ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await
}

fn holds(what: &str, before: Duration, meanwhile: Duration, times: u32) {
    eprintln!("{what}: p99 {before:?} before, {meanwhile:?} meanwhile");
    assert!(meanwhile <= times * before.max(FLOOR), "{what}: {before:?} before, {meanwhile:?} meanwhile");
}

/// A busy room in which so many don't read: they are cut off, and hold no more than their outboxes.
async fn slow_readers(count: usize, times: u32) -> anyhow::Result<()> {
    let server = server().await?;
    let mut pair = Pair::join(&server).await?;
    let before = pair.p99().await?;
    let mut loud = server.join("busy", "loud").await?;
    let mut slow = Vec::new();
    for n in 0..count {
        slow.push(Raw::upgrade(server.address(), &format!("/ws/busy?peer_id=slow{n}")).await?);
    }
    let memory = server.resident_bytes()?;
    let abuse = async move {
        loop {
            loud.send(json!({"type": "broadcast", "data": "x".repeat(30_000)})).await?;
            // Its own room tells it who comes and who goes.
            while let Ok(received) = timeout(Duration::from_millis(1), loud.recv()).await {
                received?;
            }
        }
    };
    let meanwhile = pair.p99_beside(abuse).await?;
    let grown = server.resident_bytes()?.saturating_sub(memory);
    let cap = u64::try_from(count)? * 1024 * 1024 * 6 / 5 + 32 * 1024 * 1024;
    assert!(grown <= cap, "{grown} bytes more than before, for {count} who don't read");
    let since = Instant::now();
    while server.http().get("/rooms/busy/peers").await?.json()?["total"].as_u64().unwrap_or_default() > 1 {
        assert!(since.elapsed() < Duration::from_secs(15), "who does not read is cut off");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    holds("slow readers", before, meanwhile, times);
    server.stop().await
}

/// Connections that say nothing.
async fn idle_handshakes(count: usize, times: u32) -> anyhow::Result<()> {
    let server = server().await?;
    let mut pair = Pair::join(&server).await?;
    let before = pair.p99().await?;
    let (since, mut idle) = (Instant::now(), Vec::new());
    for _ in 0..count {
        idle.push(Raw::connect(server.address()).await?);
    }
    let meanwhile = pair.p99().await?;
    let joining = Instant::now();
    server.join("healthy", "late").await?;
    assert!(joining.elapsed() < Duration::from_secs(1), "a join takes {:?}", joining.elapsed());
    let mut ended: JoinSet<_> =
        idle.into_iter().map(|mut raw| async move { raw.ended(Duration::from_secs(20)).await }).collect();
    while let Some(end) = ended.join_next().await {
        end??;
    }
    assert!(since.elapsed() < Duration::from_secs(15), "the last one is gone after {:?}", since.elapsed());
    holds("idle handshakes", before, meanwhile, times);
    server.stop().await
}

/// One who sends pings as fast as it can.
async fn pings(times: u32) -> anyhow::Result<()> {
    let server = server().await?;
    let mut pair = Pair::join(&server).await?;
    let before = pair.p99().await?;
    let mut raw = Raw::upgrade(server.address(), "/ws/flood?peer_id=flood").await?;
    let abuse = async move {
        let many = frame(true, Opcode::Ping, b"").repeat(1_000);
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            // It is not read any faster than its rate, and closed at last.
            if raw.send(&many).await.is_err() {
                return Ok(());
            }
        }
    };
    let meanwhile = pair.p99_beside(abuse).await?;
    holds("50,000 pings a second", before, meanwhile, times);
    server.stop().await
}

/// A room of so many that one of them floods.
async fn flooded_room(members: usize, times: u32) -> anyhow::Result<()> {
    let server = server().await?;
    let mut readers = JoinSet::new();
    for n in 0..members {
        let mut client = server.join("large", &format!("p{n}")).await?;
        readers.spawn(async move { while client.recv().await.is_ok() {} });
    }
    let mut loud = server.join("large", "loud").await?;
    let mut pair = Pair::join(&server).await?;
    let before = pair.p99().await?;
    let abuse = async move {
        loop {
            loud.send(json!({"type": "broadcast", "data": "hello"})).await?;
        }
    };
    let meanwhile = pair.p99_beside(abuse).await?;
    readers.shutdown().await;
    holds("a flooded room", before, meanwhile, times);
    server.stop().await
}

/// Connections whose requests dribble in.
async fn slowloris(count: usize, times: u32) -> anyhow::Result<()> {
    let server = server().await?;
    let mut pair = Pair::join(&server).await?;
    let before = pair.p99().await?;
    let mut dribblers = JoinSet::new();
    for _ in 0..count {
        let mut raw = Raw::connect(server.address()).await?;
        dribblers.spawn(async move {
            let since = Instant::now();
            let mut ticks = interval(Duration::from_millis(500));
            raw.send("GET / HTTP/1.1\r\n").await?;
            while raw.send("X: y\r\n").await.is_ok() {
                ticks.tick().await;
            }
            anyhow::Ok(since.elapsed())
        });
    }
    let meanwhile = pair.p99().await?;
    let mut all = Vec::new();
    for _ in 0..50 {
        let since = Instant::now();
        assert_eq!(server.http().get("/rooms").await?.status, 200);
        all.push(since.elapsed());
    }
    all.sort();
    assert!(all[48] < Duration::from_millis(100), "a request takes {:?}", all[48]);
    while let Some(cut) = dribblers.join_next().await {
        let after = cut??;
        assert!(after < Duration::from_secs(15), "cut after {after:?}");
    }
    holds("slowloris", before, meanwhile, times);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_who_do_not_read() -> anyhow::Result<()> {
    slow_readers(20, HELD_UP).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_with_pings() -> anyhow::Result<()> {
    pings(HELD_UP).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_a_room_of_fifty() -> anyhow::Result<()> {
    flooded_room(50, HELD_UP).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes of figures that want a machine for themselves"]
async fn long_200_who_do_not_read() -> anyhow::Result<()> {
    slow_readers(200, 2).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes of figures that want a machine for themselves"]
async fn long_5000_handshakes_that_never_come() -> anyhow::Result<()> {
    idle_handshakes(5_000, 2).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes of figures that want a machine for themselves"]
async fn long_50000_pings_a_second() -> anyhow::Result<()> {
    pings(2).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes of figures that want a machine for themselves"]
async fn long_a_room_of_1000_that_is_flooded() -> anyhow::Result<()> {
    flooded_room(998, 2).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes of figures that want a machine for themselves"]
async fn long_2000_whose_requests_dribble_in() -> anyhow::Result<()> {
    slowloris(2_000, 2).await
}
