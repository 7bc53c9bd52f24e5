//! One of the two is stopped, as a laptop that sleeps, and goes on later.

use std::time::Duration;

use crate::common::pause;

const WITHIN: Duration = Duration::from_secs(10);

#[test]
fn after_a_few_seconds() -> anyhow::Result<()> {
    stopped("a_stopped_peer_goes_on::after_a_few_seconds", Duration::from_secs(5))
}

#[test]
#[ignore = "more than a minute: scripts/test network"]
fn after_a_minute() -> anyhow::Result<()> {
    stopped("a_stopped_peer_goes_on::after_a_minute", Duration::from_secs(60))
}

fn stopped(test: &str, time: Duration) -> anyhow::Result<()> {
    pause(test, WITHIN, async |_, _, talk| {
        talk.process(1).signal("STOP");
        talk.go_on(time).await?;
        talk.process(1).signal("CONT");
        Ok(())
    })
}
