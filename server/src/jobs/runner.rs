//! Takes jobs that are due, has them worked on, and writes down what came of it. One task looks after all of them.

use std::{any::Any, collections::BTreeSet, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::work::Work;
use crate::{
    limits::JOB_DRAIN,
    store::{
        Store, StoreError,
        model::{Claimed, Item, Job, Outcome, now},
    },
};

/// Before the second attempt; doubled before each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// How long to leave a database alone that could not be asked.
const DATABASE_RETRY: Duration = Duration::from_secs(1);

/// Who looks after the jobs.
pub(crate) struct Runner {
    store: Store,
    work: Work,
    /// The jobs that were taken and have no end in the database yet: those under way, and those in `ended`.
    taken: BTreeSet<i64>,
    under_way: JoinSet<(i64, Outcome)>,
    /// How jobs ended that is not written down yet.
    ended: Vec<(i64, Outcome)>,
    /// Whether no job is left that somebody took who is gone.
    taken_up: bool,
}

impl Runner {
    pub(crate) fn new(store: Store, work: Work) -> Self {
        let (under_way, ended) = (JoinSet::new(), Vec::new());
        Self { store, work, taken: BTreeSet::new(), under_way, ended, taken_up: false }
    }

    /// Works until told to stop. What is being worked on then has a while to end, or is taken up again at the next start.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut queued = self.store.job_signal();
        while !stop.is_cancelled() {
            queued.borrow_and_update();
            let wait = match self.step().await {
                Ok(wait) => wait,
                Err(StoreError::Stopping) => return,
                Err(error) => {
                    warn!(%error, "jobs can't be taken; trying again");
                    Some(DATABASE_RETRY)
                }
            };
            let due = async {
                match wait {
                    Some(wait) => sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                Some(Ok(ended)) = self.under_way.join_next() => self.ended.push(ended),
                changed = queued.changed() => if changed.is_err() { return },
                () = stop.cancelled() => {}
            }
        }
        if timeout(JOB_DRAIN, self.all_ended()).await.is_err() {
            info!(jobs = self.under_way.len(), "jobs under way are taken up again at the next start");
        }
        if let Err(error) = self.write_down().await {
            warn!(%error, "what came of the last jobs is not written down: they are taken up again at the next start");
        }
    }

    async fn all_ended(&mut self) {
        while let Some(ended) = self.under_way.join_next().await {
            self.ended.extend(ended);
        }
    }

    /// Writes down what has ended, and takes as many jobs that are due as there are free places. How long until the next one is
    /// due, if one waits for that and not for a place.
    async fn step(&mut self) -> Result<Option<Duration>, StoreError> {
        let wait = self.advance().await;
        // What a database that failed was asked for may be done all the same.
        self.taken_up &= wait.is_ok();
        wait
    }

    async fn advance(&mut self) -> Result<Option<Duration>, StoreError> {
        self.write_down().await?;
        if !self.taken_up {
            self.take_up().await?;
            self.taken_up = true;
        }
        let places = self.work.at_a_time.saturating_sub(self.taken.len());
        if places == 0 {
            return Ok(None);
        }
        let Claimed { jobs, next } = self.store.claim(places as u64).await?;
        for (job, item) in jobs {
            self.taken.insert(job.id);
            self.under_way.spawn(attempt(self.work.clone(), job, item));
        }
        Ok(next.map(|at| Duration::from_micros(u64::try_from(at - now()).unwrap_or_default())))
    }

    async fn write_down(&mut self) -> Result<(), StoreError> {
        while let Some(ended) = self.under_way.try_join_next() {
            self.ended.extend(ended);
        }
        if self.ended.is_empty() {
            return Ok(());
        }
        // If the database can't take it, it is kept: what was delivered need not be again.
        self.store.finish(self.ended.clone()).await?;
        for (id, _) in self.ended.drain(..) {
            self.taken.remove(&id);
        }
        Ok(())
    }

    /// Puts back what was being worked on when the process ended, or was taken without an answer when the database failed: nobody
    /// else works on jobs.
    async fn take_up(&mut self) -> Result<(), StoreError> {
        if let count @ 1.. = self.store.requeue(self.taken.iter().copied().collect()).await? {
            info!(jobs = count, "taking up jobs that the last run left");
        }
        Ok(())
    }
}

async fn attempt(work: Work, job: Job, item: Option<Item>) -> (i64, Outcome) {
    let (id, attempts) = (job.id, job.attempts);
    let Some(item) = item else { return (id, Outcome::Failed(format!("item {} was deleted", job.item_id))) };
    // A fault that one item brings to light is that item's.
    let done = AssertUnwindSafe(async { work.perform(job, item).await }).catch_unwind().await;
    let outcome = match done.unwrap_or_else(|panic| Err(words(&*panic))) {
        Ok(result) => Outcome::Done(result),
        Err(error) => Outcome::Again { error, at: now().saturating_add(retry_after(attempts)) },
    };
    (id, outcome)
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a fault of grtc: {}", words.unwrap_or("it panicked"))
}

/// Exponential, with full jitter: half of it is certain, half is chance. In microseconds.
fn retry_after(attempts: i64) -> i64 {
    let doubled = FIRST_RETRY * 2_u32.saturating_pow(u32::try_from(attempts - 1).unwrap_or_default().min(10));
    let half = i64::try_from(doubled.as_micros() / 2).unwrap_or(i64::MAX);
    half + fastrand::i64(0..=half)
}

#[cfg(test)]
mod tests;
