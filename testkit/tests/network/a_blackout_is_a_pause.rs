//! The cable of one of the two is pulled and plugged in again: it hears neither the other one nor the server meanwhile.

use std::time::Duration;

use crate::common::{END_B, pause};

#[test]
fn of_a_few_seconds() -> anyhow::Result<()> {
    blackout("a_blackout_is_a_pause::of_a_few_seconds", Duration::from_secs(5), Duration::from_secs(10))
}

#[test]
#[ignore = "a minute: scripts/test network"]
fn of_forty_seconds() -> anyhow::Result<()> {
    blackout("a_blackout_is_a_pause::of_forty_seconds", Duration::from_secs(40), Duration::from_secs(15))
}

fn blackout(test: &str, time: Duration, within: Duration) -> anyhow::Result<()> {
    pause(test, within, async |network, _, talk| {
        network.line.cut(END_B);
        talk.go_on(time).await?;
        network.line.mend(END_B);
        Ok(())
    })
}
