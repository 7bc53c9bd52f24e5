//! Peers in a network namespace that loses packets: some of all, or all of some kind. It takes root, `ip` and `iptables`.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::{Context, ensure};
use grtc_peer::{Config, Event, Events, Peer};
use grtc_testkit::{PeerProcess, TestServer, namespace};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

const PAIRS: usize = 100;
/// Pairs that open at the same time: more would measure how long the handshakes of an unoptimised build take.
const AT_ONCE: usize = 20;
const WITHIN: Duration = Duration::from_secs(30);

#[test]
fn a_hundred_pairs_open_under_ten_percent_loss() -> anyhow::Result<()> {
    let loss = ["-p", "udp", "-m", "statistic", "--mode", "random", "--probability", "0.1"];
    let dropped = namespace::dropping("a_hundred_pairs_open_under_ten_percent_loss", &loss, async {
        let server = TestServer::start().await?;
        let (mut opening, mut times) = (JoinSet::new(), Vec::new());
        for pair in 0..PAIRS {
            if opening.len() == AT_ONCE {
                times.push(opening.join_next().await.context("none is opening")??);
            }
            opening.spawn(open(server.url(""), format!("pair{pair}")));
        }
        times.extend(opening.join_all().await);
        let mut times = times.into_iter().collect::<anyhow::Result<Vec<Duration>>>()?;
        times.sort();
        let again = times.iter().filter(|time| **time > Duration::from_secs(4)).count();
        println!("{PAIRS} pairs: p50 {:?}, p90 {:?}, max {:?}, {again} after 4 s", times[50], times[90], times[99]);
        ensure!(times[99] <= WITHIN, "{times:?}");
        Ok(())
    })?;
    ensure!(dropped.is_none_or(|dropped| dropped > 100), "the network lost next to nothing");
    Ok(())
}

/// How long it takes until a pair is open on both sides.
async fn open(server: String, room: String) -> anyhow::Result<Duration> {
    let config = Config::new(server.parse()?, room.parse()?);
    let begin = Instant::now();
    let ((_a, mut a_events), (_b, mut b_events)) = tokio::try_join!(Peer::join(config.clone()), Peer::join(config))?;
    timeout(2 * WITHIN, async { tokio::try_join!(connected(&mut a_events), connected(&mut b_events)) }).await??;
    Ok(begin.elapsed())
}

async fn connected(events: &mut Events) -> anyhow::Result<()> {
    while !matches!(events.next().await.context("the events ended")?, Event::Connected { .. }) {}
    Ok(())
}

#[test]
fn a_network_that_passes_no_handshake_is_40() -> anyhow::Result<()> {
    // Records of the handshake: content type 22.
    fails("a_network_that_passes_no_handshake_is_40", "|16fe|", 40, "dtls_failed")
}

#[test]
fn a_network_that_passes_no_data_is_50() -> anyhow::Result<()> {
    // Records of application data, which carry SCTP: content type 23.
    fails("a_network_that_passes_no_data_is_50", "|17fe|", 50, "channel_failed")
}

/// Without DTLS records that begin like this, a peer ends with this code, and says this of the other one.
fn fails(test: &str, record: &str, code: i32, error: &str) -> anyhow::Result<()> {
    // The first bytes of the payload, after the headers of IPv4 or IPv6 and UDP.
    let kind = ["-p", "udp", "-m", "string", "--algo", "bm", "--from", "28", "--to", "52", "--hex-string", record];
    let dropped = namespace::dropping(test, &kind, async {
        let server = TestServer::start().await?;
        // The tries of the newcomer take 20 s. Who was there before is not done with its own by then.
        let script = ["--expect-peers", "1", "--timeout", "24s", "--json"];
        let mut b = PeerProcess::join(&server, "r", "B", &script);
        b.event("joined").await;
        let a = PeerProcess::join(&server, "r", "A", &script);
        let (a, b) = tokio::join!(a.end(), b.end());
        for (ended, other) in [(a, "B"), (b, "A")] {
            let failed = ended.events().into_iter().find(|event| event["event"] == "error").unwrap_or_default();
            let seen = (ended.code, failed["code"].as_str(), failed["peer_id"].as_str());
            ensure!(seen == (Some(code), Some(error), Some(other)), "{:#?}", ended.lines);
        }
        Ok(())
    })?;
    ensure!(dropped.is_none_or(|dropped| dropped > 0), "the network dropped nothing");
    Ok(())
}
