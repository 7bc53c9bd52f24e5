//! A server that is killed and started again under pairs that talk to each other: no channel closes, nothing that goes over
//! them is lost, and everybody is back in its room soon after.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use grtc_peer::{Config, Event, Events, Peer, PeerId};
use grtc_testkit::{Launch, ServerProcess};
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{interval, sleep, timeout},
};

/// Between two ends of the server.
const LIFE: Duration = Duration::from_secs(5);
/// How long after the last start of the server everybody has to be back.
const BACK: Duration = Duration::from_secs(5);
const BETWEEN_MESSAGES: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(20);
const WAIT: Duration = Duration::from_secs(60);

fn room(pair: usize) -> String {
    format!("pair-{pair}")
}

async fn join(server: SocketAddr, pair: usize, name: &str) -> anyhow::Result<(Peer, Events)> {
    let config = Config::new(format!("ws://{server}").parse()?, room(pair).parse()?).with_id(name.parse()?);
    Ok(Peer::join(config).await?)
}

/// Waits for the channel.
async fn open(events: &mut Events) -> anyhow::Result<()> {
    while let Some(event) = timeout(WAIT, events.next()).await.context("no channel opens")? {
        if matches!(event, Event::Connected { .. }) {
            return Ok(());
        }
    }
    bail!("ended without a channel")
}

/// Says numbers to the other one until it is told to end, and hears all of the other's, on one channel. Gives how many it has
/// said and heard.
async fn talk(
    peer: Peer,
    mut events: Events,
    other: PeerId,
    mut end: watch::Receiver<bool>,
) -> anyhow::Result<(Peer, Events, u64, u64)> {
    let (mut ticks, mut said, mut heard) = (interval(BETWEEN_MESSAGES), 0_u64, 0_u64);
    loop {
        tokio::select! {
            _ = end.changed() => return Ok((peer, events, said, heard)),
            _ = ticks.tick() => {
                peer.send(&other, said.to_string()).await?;
                said += 1;
            }
            event = events.next() => hear(event, &mut heard)?,
        }
    }
}

fn hear(event: Option<Event>, heard: &mut u64) -> anyhow::Result<()> {
    match event {
        Some(Event::Message { payload, .. }) => {
            ensure!(payload.as_text() == Some(heard.to_string().as_str()), "{payload:?} after {heard} messages");
            *heard += 1;
        }
        Some(Event::Joined { .. } | Event::PeerJoined { .. } | Event::PeerLeft { .. } | Event::Reconnecting { .. }) => {
        }
        other => bail!("the channel was touched: {other:?}"),
    }
    Ok(())
}

/// What the other one has said last may still be on its way.
async fn hear_all(mut events: Events, mut heard: u64, said: u64) -> anyhow::Result<()> {
    while heard < said {
        let event = timeout(WAIT, events.next()).await.with_context(|| format!("{heard} of {said} messages came"))?;
        hear(event, &mut heard)?;
    }
    Ok(())
}

/// Waits until everybody is in its room.
async fn all_back(server: &ServerProcess, pairs: usize) -> anyhow::Result<Duration> {
    let (since, http) = (Instant::now(), server.http());
    for pair in 0..pairs {
        loop {
            let mut peers = http.get(&format!("/rooms/{}/peers", room(pair))).await?.json()?["peers"].take();
            peers.as_array_mut().context("no list")?.sort_by_key(ToString::to_string);
            if peers == json!(["a", "b"]) {
                break;
            }
            ensure!(since.elapsed() < BACK, "after {:?} {peers} are in {}", since.elapsed(), room(pair));
            sleep(LOOK).await;
        }
    }
    Ok(since.elapsed())
}

async fn kill_under(pairs: usize, times: usize) -> anyhow::Result<()> {
    let mut server = ServerProcess::launch(&Launch::default()).await?;
    let address = server.address();
    let (end, ended) = watch::channel(false);
    let mut talking = JoinSet::new();
    for pair in 0..pairs {
        let ((a, mut a_events), (b, mut b_events)) = (join(address, pair, "a").await?, join(address, pair, "b").await?);
        open(&mut a_events).await?;
        open(&mut b_events).await?;
        let ended = ended.clone();
        talking.spawn(async move {
            let (a_id, b_id) = (a.id().clone(), b.id().clone());
            let (a, b) = tokio::join!(talk(a, a_events, b_id, ended.clone()), talk(b, b_events, a_id, ended));
            let ((a, a_events, a_said, a_heard), (b, b_events, b_said, b_heard)) = (a?, b?);
            hear_all(a_events, a_heard, b_said).await?;
            hear_all(b_events, b_heard, a_said).await?;
            drop((a, b));
            anyhow::Ok(a_said + b_said)
        });
    }
    for _ in 0..times {
        sleep(LIFE).await;
        server = ServerProcess::again_at(server.kill().await?, address).await?;
    }
    let back = all_back(&server, pairs).await?;
    end.send(true)?;
    let mut messages = 0;
    while let Some(said) = talking.join_next().await {
        messages += said??;
    }
    eprintln!("{pairs} pairs, {times} restarts, {messages} messages; all are back {back:?} after the last one");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn four_pairs_and_two_restarts() -> anyhow::Result<()> {
    kill_under(4, 2).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes more than a minute: scripts/test long"]
async fn long_fifty_pairs_and_a_minute_of_restarts() -> anyhow::Result<()> {
    kill_under(50, 12).await
}
