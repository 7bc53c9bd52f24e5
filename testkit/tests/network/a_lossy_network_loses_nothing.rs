//! Packets get lost at random, both ways and of all kinds: those between the two, and those to the server.

use std::time::Duration;

use anyhow::ensure;
use grtc_testkit::namespace::among;

use crate::common::{Network, all_came, path};

/// 99 of 100 messages take no longer at 5 %.
const MOST: Duration = Duration::from_secs(5);
/// One that takes this long is given up.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn five_percent_at_20_ms() -> anyhow::Result<()> {
    lossy("a_lossy_network_loses_nothing::five_percent_at_20_ms", 20, 0.05, Duration::from_secs(8))
}

#[test]
#[ignore = "a minute: scripts/test network"]
fn five_percent_at_20_ms_for_a_minute() -> anyhow::Result<()> {
    lossy("a_lossy_network_loses_nothing::five_percent_at_20_ms_for_a_minute", 20, 0.05, Duration::from_secs(60))
}

#[test]
#[ignore = "a minute: scripts/test network"]
fn five_percent_at_100_ms_for_a_minute() -> anyhow::Result<()> {
    lossy("a_lossy_network_loses_nothing::five_percent_at_100_ms_for_a_minute", 100, 0.05, Duration::from_secs(60))
}

#[test]
#[ignore = "a minute: scripts/test network"]
fn ten_percent_at_20_ms_for_a_minute() -> anyhow::Result<()> {
    lossy("a_lossy_network_loses_nothing::ten_percent_at_20_ms_for_a_minute", 20, 0.1, Duration::from_secs(60))
}

#[test]
#[ignore = "a minute: scripts/test network"]
fn ten_percent_at_100_ms_for_a_minute() -> anyhow::Result<()> {
    lossy("a_lossy_network_loses_nothing::ten_percent_at_100_ms_for_a_minute", 100, 0.1, Duration::from_secs(60))
}

fn lossy(test: &str, there_and_back: u64, loss: f64, time: Duration) -> anyhow::Result<()> {
    among(test, async |[a, b]| {
        Network::of(&a, &b)
            .await?
            .watch(async |network| {
                network.line.set_all(path(Duration::from_millis(there_and_back), loss));
                let mut talk = network.talk(&a, &b).await?;
                talk.go_on(time).await?;
                let heard = talk.end(PATIENCE).await?;
                all_came(&heard)?;
                let most = heard.each_ref().map(|heard| heard.latency(0.99));
                ensure!(loss > 0.05 || most.iter().all(|most| *most <= MOST), "{most:?}");
                Ok(())
            })
            .await
    })
}
