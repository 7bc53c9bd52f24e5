//! All pairs open, however many packets of their handshakes get lost.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures_util::{StreamExt, TryStreamExt, stream};
use grtc_testkit::{
    PeerProcess,
    namespace::{Machine, among},
};

use crate::common::{Network, path};

/// Pairs that open at the same time: more would measure how long the handshakes of an unoptimised build take.
const AT_ONCE: usize = 10;

#[test]
fn ten_at_ten_percent() -> anyhow::Result<()> {
    open("pairs_open_under_loss::ten_at_ten_percent", 10, 0.1, Duration::from_secs(10))
}

#[test]
#[ignore = "half a minute: scripts/test network"]
fn a_hundred_at_ten_percent() -> anyhow::Result<()> {
    open("pairs_open_under_loss::a_hundred_at_ten_percent", 100, 0.1, Duration::from_secs(10))
}

#[test]
#[ignore = "a minute: scripts/test network"]
fn a_hundred_at_twenty_percent() -> anyhow::Result<()> {
    open("pairs_open_under_loss::a_hundred_at_twenty_percent", 100, 0.2, Duration::from_secs(30))
}

fn open(test: &str, pairs: usize, loss: f64, within: Duration) -> anyhow::Result<()> {
    among(test, async |[a, b]| {
        Network::of(&a, &b)
            .await?
            .watch(async |network| {
                network.line.set_all(path(Duration::from_millis(20), loss));
                let opening = stream::iter(0..pairs).map(|pair| pair_opens(network, &a, &b, pair));
                let mut times: Vec<(Duration, usize)> = opening.buffer_unordered(AT_ONCE).try_collect().await?;
                times.sort();
                let [half, most, all] = [pairs / 2, pairs * 9 / 10, pairs - 1].map(|rank| times[rank].0);
                println!("{pairs} pairs: p50 {half:.2?}, p90 {most:.2?}, max {all:.2?}");
                let late: Vec<_> = times.iter().filter(|(time, _)| *time > within).collect();
                ensure!(late.is_empty(), "these took longer than {within:?}: {late:.2?}");
                Ok(())
            })
            .await
    })
}

/// How long it takes from when both are in the room until both are connected, and which pair it is.
async fn pair_opens(network: &Network, a: &Machine, b: &Machine, pair: usize) -> anyhow::Result<(Duration, usize)> {
    let room = format!("pair{pair}");
    let mut first = joins(network, a, &room, &format!("A{pair}")).await?;
    let mut second = joins(network, b, &room, &format!("B{pair}")).await?;
    let begin = Instant::now();
    tokio::join!(first.event("connected"), second.event("connected"));
    Ok((begin.elapsed(), pair))
}

/// A peer in the room. The way to the server loses packets as well: one that gives up is started again, as somebody would.
async fn joins(network: &Network, machine: &Machine, room: &str, id: &str) -> anyhow::Result<PeerProcess> {
    loop {
        let mut peer = network.peer(machine, room, id)?;
        while let Some(line) = peer.any_line().await {
            if line.contains(r#""event":"joined""#) {
                return Ok(peer);
            }
        }
    }
}
