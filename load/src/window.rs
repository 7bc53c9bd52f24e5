//! The measured stretch of time: warm-up, start, end, and what was done in between.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::{task::JoinSet, time::sleep};

use crate::target::{Target, machine_cpu, own_cpu};

/// How long to load the server before and while it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Load that does not count.
    pub warm_up: Duration,
    /// Load that counts.
    pub length: Duration,
}

/// Counts what is done while the window is open. Shared by all tasks of one measurement.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: bool,
    units: u64,
    nanos: Vec<u32>,
}

/// What was done in one window, and what it took.
#[derive(Debug)]
pub struct Sample {
    /// Messages, joins or requests.
    pub units: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// The server's CPU time.
    pub server_cpu: Duration,
    /// The CPU time of the load itself.
    pub load_cpu: Duration,
    /// The CPU time of everything else on the machine.
    pub other_cpu: Duration,
    /// Latencies in nanoseconds, sorted. Not necessarily one for each unit.
    pub nanos: Vec<u32>,
}

impl Meter {
    /// Counts `units`, and the latencies that are known. Nothing counts while the window is shut.
    pub fn record(&self, units: u64, latencies: impl Iterator<Item = Duration>) {
        let mut counts = self.lock();
        if counts.open {
            counts.units += units;
            counts.nanos.extend(latencies.map(|latency| u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX)));
        }
    }

    /// Lets `tasks` load the server for the length of the plan.
    ///
    /// # Errors
    /// When a task ends: they are to go on until they are aborted, so it has failed.
    pub async fn window(
        &self,
        target: &Target,
        plan: Plan,
        tasks: &mut JoinSet<anyhow::Result<()>>,
    ) -> anyhow::Result<Sample> {
        hold(tasks, plan.warm_up).await?;
        let before = Clocks::read(target)?;
        self.lock().open = true;
        hold(tasks, plan.length).await?;
        self.lock().open = false;
        let after = Clocks::read(target)?;
        tasks.shutdown().await;
        let Counts { units, mut nanos, .. } = std::mem::take(&mut *self.lock());
        anyhow::ensure!(units > 0, "nothing was done within {:?}", plan.length);
        nanos.sort_unstable();
        let (elapsed, server_cpu, load_cpu) =
            (after.now - before.now, after.server - before.server, after.load - before.load);
        let other_cpu = (after.machine - before.machine).saturating_sub(server_cpu + load_cpu);
        Ok(Sample { units, elapsed, server_cpu, load_cpu, other_cpu, nanos })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Clocks {
    now: Instant,
    server: Duration,
    load: Duration,
    machine: Duration,
}

impl Clocks {
    fn read(target: &Target) -> anyhow::Result<Self> {
        Ok(Self { now: Instant::now(), server: target.cpu()?, load: own_cpu()?, machine: machine_cpu()? })
    }
}

async fn hold(tasks: &mut JoinSet<anyhow::Result<()>>, time: Duration) -> anyhow::Result<()> {
    tokio::select! {
        ended = tasks.join_next() => match ended {
            Some(Ok(Err(error))) => Err(error),
            Some(Err(error)) => Err(error).context("the load has a bug"),
            Some(Ok(Ok(()))) | None => bail!("the load ended by itself"),
        },
        () = sleep(time) => Ok(()),
    }
}

/// The least value, in microseconds, that so many of a hundred are at most.
#[must_use]
pub fn percentile(sorted: &[u32], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    f64::from(sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()) / 1e3
}

/// The middle one of some values, not a number when there is none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let sorted: Vec<u32> = (1..=100).map(|n| n * 1_000).collect();
        assert!((percentile(&sorted, 50) - 50.0).abs() < f64::EPSILON);
        assert!((percentile(&sorted, 99) - 99.0).abs() < f64::EPSILON);
        assert!((percentile(&[7_000], 99) - 7.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_median_is_the_middle_one() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}
