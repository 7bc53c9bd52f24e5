//! Takes jobs that are due, works on them, and writes down what came of it. One task for all of them.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use serde_json::value::RawValue;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::store::{
    Store, StoreError,
    model::{Claimed, Item, Job, Outcome, now},
};

/// Jobs that are worked on between two looks at the database.
const BATCH: u64 = 64;
/// Before the second attempt; doubled before each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// How long to leave a database alone that could not be asked.
const DATABASE_RETRY: Duration = Duration::from_secs(1);

/// The work on an item: its result as JSON, or what went wrong.
pub(crate) type Work = fn(&Item) -> Result<Box<RawValue>, String>;

/// Works until told to stop. What is being worked on then is taken up again at the next start.
pub(crate) async fn run(store: Store, work: Work, stop: CancellationToken) {
    let mut queued = store.job_signal();
    let mut taken_up = false;
    while !stop.is_cancelled() {
        queued.borrow_and_update();
        let wait = match next(&store, work, &mut taken_up).await {
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
            changed = queued.changed() => if changed.is_err() { return },
            () = stop.cancelled() => {}
        }
    }
}

/// Works on what is due; first, and after a failure, puts back what was being worked on when the process or the database
/// failed: nobody else works on jobs.
async fn next(store: &Store, work: Work, taken_up: &mut bool) -> Result<Option<Duration>, StoreError> {
    if !*taken_up {
        requeue(store).await?;
        *taken_up = true;
    }
    let result = step(store, work).await;
    *taken_up = result.is_ok();
    result
}

async fn requeue(store: &Store) -> Result<(), StoreError> {
    if let count @ 1.. = store.requeue().await? {
        info!(jobs = count, "taking up jobs that the last run left");
    }
    Ok(())
}

/// Works on what is due; how long until the next job is, if one waits.
async fn step(store: &Store, work: Work) -> Result<Option<Duration>, StoreError> {
    let Claimed { jobs, next } = store.claim(BATCH).await?;
    if !jobs.is_empty() {
        let outcomes = jobs.iter().map(|(job, item)| (job.id, attempt(job, item.as_ref(), work))).collect();
        store.finish(outcomes).await?;
    }
    Ok(next.map(|at| Duration::from_micros(u64::try_from(at - now()).unwrap_or_default())))
}

fn attempt(job: &Job, item: Option<&Item>, work: Work) -> Outcome {
    let Some(item) = item else { return Outcome::Failed(format!("item {} was deleted", job.item_id)) };
    // A fault that one item brings to light is that item's: without the catch it would end the runner at every start.
    let done = catch_unwind(AssertUnwindSafe(|| work(item))).unwrap_or_else(|panic| Err(words(&*panic)));
    match done {
        Ok(result) => Outcome::Done(result),
        Err(error) => Outcome::Again { error, at: now().saturating_add(retry_after(job.attempts)) },
    }
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
mod tests {
    use super::*;
    use crate::store::{
        Written,
        model::{Condition, JobState, NewItem, Status},
    };

    async fn store_with_a_job() -> (Store, i64) {
        let (store, _writer) = Store::open("sqlite::memory:").await.unwrap();
        let new = NewItem { title: "a b".into(), description: Some("c".into()), status: Status::Active };
        store.create(vec![new], None).await.unwrap();
        let Ok(Written::Done(job)) = store.process(1, None).await else { panic!("not queued") };
        (store, job.id)
    }

    #[tokio::test]
    async fn a_job_ends_with_its_result() {
        let (store, id) = store_with_a_job().await;
        step(&store, crate::jobs::digest::digest).await.unwrap();
        let job = store.job(id).await.unwrap().unwrap();
        assert_eq!((job.state, job.attempts), (JobState::Done, 1));
        assert!(job.result.unwrap().get().starts_with(r#"{"words":3,"characters":5,"#));
    }

    #[tokio::test]
    async fn a_job_that_fails_is_tried_again_later_and_given_up_after_five_attempts() {
        fn fails(_: &Item) -> Result<Box<RawValue>, String> {
            Err("no luck".into())
        }
        let (store, id) = store_with_a_job().await;
        let wait = step(&store, fails).await.unwrap();
        assert_eq!(wait, Some(Duration::ZERO), "there may be more that is due");
        let wait = step(&store, fails).await.unwrap().unwrap();
        assert!(wait > Duration::from_millis(300) && wait <= Duration::from_secs(1), "{wait:?}");
        for _ in 0..4 {
            // The time that the job waits for, without the waiting.
            store.finish(vec![(id, Outcome::Again { error: "no luck".into(), at: now() })]).await.unwrap();
            step(&store, fails).await.unwrap();
        }
        let job = store.job(id).await.unwrap().unwrap();
        assert_eq!((job.state, job.attempts, job.error.as_deref()), (JobState::Failed, 5, Some("no luck")));
    }

    #[tokio::test]
    async fn a_panic_in_the_work_is_a_failed_attempt_and_other_jobs_go_on() {
        fn panics_at_the_first(item: &Item) -> Result<Box<RawValue>, String> {
            assert!(item.id != 1, "no luck with {}", item.title);
            super::super::digest::digest(item)
        }
        let (store, id) = store_with_a_job().await;
        let new = NewItem { title: "d".into(), description: None, status: Status::Active };
        store.create(vec![new], None).await.unwrap();
        let Ok(Written::Done(other)) = store.process(2, None).await else { panic!("not queued") };
        step(&store, panics_at_the_first).await.unwrap();
        let job = store.job(id).await.unwrap().unwrap();
        assert_eq!((job.state, job.attempts), (JobState::Queued, 1));
        assert!(job.error.unwrap().contains("no luck with a b"));
        assert_eq!(store.job(other.id).await.unwrap().unwrap().state, JobState::Done);
    }

    #[tokio::test]
    async fn a_job_of_an_item_that_is_gone_fails_and_says_so() {
        let (store, id) = store_with_a_job().await;
        store.delete(1, Condition::always()).await.unwrap();
        step(&store, crate::jobs::digest::digest).await.unwrap();
        let job = store.job(id).await.unwrap().unwrap();
        assert_eq!((job.state, job.error.as_deref()), (JobState::Failed, Some("item 1 was deleted")));
    }

    #[tokio::test]
    async fn what_was_being_worked_on_when_the_process_ended_is_taken_up_again() {
        let (store, id) = store_with_a_job().await;
        store.claim(1).await.unwrap();
        assert_eq!(store.job(id).await.unwrap().unwrap().state, JobState::Running);
        requeue(&store).await.unwrap();
        step(&store, crate::jobs::digest::digest).await.unwrap();
        let job = store.job(id).await.unwrap().unwrap();
        assert_eq!((job.state, job.attempts), (JobState::Done, 2));
    }

    #[test]
    fn waits_longer_each_time() {
        for (attempts, seconds) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
            let wait = retry_after(attempts);
            assert!(wait >= seconds * 500_000 && wait <= seconds * 1_000_000);
        }
    }
}
