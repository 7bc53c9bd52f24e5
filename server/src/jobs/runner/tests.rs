//! What becomes of jobs, step by step, on a database in memory and without the waiting.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sea_orm::{ConnectionTrait, Database};
use tokio::sync::Semaphore;

use super::*;
use crate::{
    jobs::work::Done,
    metrics::Commits,
    store::{
        Written,
        model::{Condition, JobState, NewItem, Status},
    },
};

/// A store at this URL with so many items, and a job for each of them with the same id.
async fn store_with_jobs(url: &str, count: i64) -> Store {
    let (store, _writer) = Store::open(url, Commits::default()).await.unwrap();
    for id in 1..=count {
        let new = NewItem { title: "a b".into(), description: Some("c".into()), status: Status::Active };
        store.create(vec![new], None).await.unwrap();
        let Ok(Written::Done(job)) = store.process(id, None).await else { panic!("not queued") };
        assert_eq!(job.id, id);
    }
    store
}

async fn store_with_a_job() -> Store {
    store_with_jobs("sqlite::memory:", 1).await
}

async fn job(store: &Store, id: i64) -> Job {
    store.job(id).await.unwrap().unwrap()
}

fn runner(store: &Store, work: Work) -> Runner {
    Runner::new(store.clone(), work)
}

/// Takes what is due, and writes down what came of all of it.
async fn settle(runner: &mut Runner) -> Option<Duration> {
    runner.step().await.unwrap();
    runner.all_ended().await;
    runner.step().await.unwrap()
}

fn failing() -> Work {
    Work::of(1, async |_, _| Done::Err("no luck".into()))
}

/// The time that a job waits for, without the waiting.
async fn make_due(store: &Store, id: i64) {
    store.finish(vec![(id, Outcome::Again { error: "no luck".into(), at: now() })]).await.unwrap();
}

#[tokio::test]
async fn a_job_ends_with_its_result() {
    let store = store_with_a_job().await;
    let mut runner = runner(&store, Work::new(None));
    assert_eq!(runner.step().await.unwrap(), Some(Duration::ZERO), "there may be more that is due");
    assert_eq!(settle(&mut runner).await, None);
    let job = job(&store, 1).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 1));
    assert!(job.result.unwrap().get().starts_with(r#"{"words":3,"characters":5,"#));
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_later_and_given_up_after_five_attempts() {
    let store = store_with_a_job().await;
    let mut runner = runner(&store, failing());
    let wait = settle(&mut runner).await.unwrap();
    assert!(wait > Duration::from_millis(300) && wait <= Duration::from_secs(1), "{wait:?}");
    for _ in 0..4 {
        make_due(&store, 1).await;
        settle(&mut runner).await;
    }
    let job = job(&store, 1).await;
    assert_eq!((job.state, job.attempts, job.error.as_deref()), (JobState::Failed, 5, Some("no luck")));
}

#[tokio::test]
async fn one_that_is_tried_again_has_five_attempts_more() {
    let store = store_with_a_job().await;
    let mut failing = runner(&store, failing());
    for _ in 0..4 {
        settle(&mut failing).await;
        let queued = store.retry(1, None).await;
        assert!(matches!(queued, Err(StoreError::NotFailed { id: 1, state: JobState::Queued })), "{queued:?}");
        make_due(&store, 1).await;
    }
    settle(&mut failing).await;
    let failed = job(&store, 1).await;
    assert_eq!((failed.state, failed.attempts), (JobState::Failed, 5));
    assert!(matches!(store.retry(7, None).await, Err(StoreError::NoJob(7))));
    let Ok(Written::Done(anew)) = store.retry(1, None).await else { panic!("not tried again") };
    assert_eq!((anew.state, anew.attempts, &anew.error), (JobState::Queued, 0, &None));
    settle(&mut failing).await;
    assert_eq!((job(&store, 1).await.state, job(&store, 1).await.attempts), (JobState::Queued, 1));
    make_due(&store, 1).await;
    settle(&mut runner(&store, Work::new(None))).await;
    let done = job(&store, 1).await;
    assert_eq!((done.state, done.attempts, &done.error), (JobState::Done, 2, &None));
    assert!(matches!(store.retry(1, None).await, Err(StoreError::NotFailed { id: 1, state: JobState::Done })));
}

#[tokio::test]
async fn who_waits_for_jobs_is_told_of_one_that_is_tried_again() {
    let store = store_with_a_job().await;
    settle(&mut runner(&store, Work::of(1, async |_, _| panic!("now")))).await;
    store.finish(vec![(1, Outcome::Failed("no luck".into()))]).await.unwrap();
    let mut signal = store.job_signal();
    store.retry(1, None).await.unwrap();
    assert!(signal.has_changed().unwrap());
    signal.borrow_and_update();
    assert!(store.retry(1, None).await.is_err());
    assert!(!signal.has_changed().unwrap());
}

#[tokio::test]
async fn a_panic_in_the_work_is_a_failed_attempt_and_other_jobs_go_on() {
    let store = store_with_jobs("sqlite::memory:", 2).await;
    let panics_at_the_first = Work::of(64, async |_, item: Item| {
        assert!(item.id != 1, "no luck with {}", item.title);
        crate::jobs::digest::digest(&item)
    });
    settle(&mut runner(&store, panics_at_the_first)).await;
    let first = job(&store, 1).await;
    assert_eq!((first.state, first.attempts), (JobState::Queued, 1));
    assert!(first.error.unwrap().contains("no luck with a b"));
    assert_eq!(job(&store, 2).await.state, JobState::Done);
}

#[tokio::test]
async fn a_job_of_an_item_that_is_gone_fails_and_says_so() {
    let store = store_with_a_job().await;
    store.delete(1, Condition::always()).await.unwrap();
    settle(&mut runner(&store, Work::new(None))).await;
    let job = job(&store, 1).await;
    assert_eq!((job.state, job.error.as_deref()), (JobState::Failed, Some("item 1 was deleted")));
}

#[tokio::test]
async fn what_was_being_worked_on_when_the_process_ended_is_taken_up_again() {
    let store = store_with_a_job().await;
    store.claim(1).await.unwrap();
    assert_eq!(job(&store, 1).await.state, JobState::Running);
    settle(&mut runner(&store, Work::new(None))).await;
    let job = job(&store, 1).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 2));
}

#[tokio::test]
async fn so_many_are_worked_on_at_a_time_and_one_that_takes_long_holds_up_no_other() {
    let store = store_with_jobs("sqlite::memory:", 4).await;
    let go_on = Arc::new(Semaphore::new(0));
    let gate = go_on.clone();
    let work = Work::of(2, move |_, item: Item| {
        let gate = gate.clone();
        async move {
            if item.id == 1 {
                std::future::pending::<()>().await;
            }
            gate.acquire().await.map_err(|error| error.to_string())?.forget();
            crate::jobs::digest::digest(&item)
        }
    });
    let mut runner = runner(&store, work);
    assert_eq!(runner.step().await.unwrap(), Some(Duration::ZERO));
    assert_eq!(runner.step().await.unwrap(), None, "no place is free");
    for (done, queued) in [(0, 2), (1, 1), (2, 0)] {
        assert_eq!(store.job_counts().await.unwrap(), [queued, 4 - queued - done, done, 0]);
        assert_eq!(job(&store, 1).await.state, JobState::Running);
        go_on.add_permits(1);
        let ended = runner.under_way.join_next().await.unwrap().unwrap();
        runner.ended.push(ended);
        runner.step().await.unwrap();
    }
    assert_eq!(store.job_counts().await.unwrap(), [0, 1, 3, 0]);
}

/// What is known is kept until the database takes it, and nothing is done twice.
#[tokio::test]
async fn a_database_that_fails_meanwhile_costs_no_second_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("grtc.db").display());
    let store = store_with_jobs(&url, 1).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let mut runner = runner(
        &store,
        Work::of(1, move |_, item| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move { crate::jobs::digest::digest(&item) }
        }),
    );
    runner.step().await.unwrap();
    runner.all_ended().await;
    let other = Database::connect(&url).await.unwrap();
    other.execute_unprepared("ALTER TABLE jobs RENAME TO jobs_away").await.unwrap();
    assert!(runner.step().await.is_err());
    other.execute_unprepared("ALTER TABLE jobs_away RENAME TO jobs").await.unwrap();
    assert_eq!(runner.step().await.unwrap(), None);
    let job = job(&store, 1).await;
    assert_eq!((job.state, job.attempts, calls.load(Ordering::Relaxed)), (JobState::Done, 1, 1));
}

/// One is under way, another was taken by a request to the database whose answer was lost.
#[tokio::test]
async fn what_is_under_way_is_not_put_back() {
    let store = store_with_jobs("sqlite::memory:", 1).await;
    let mut runner = runner(&store, Work::of(2, async |_, _| std::future::pending().await));
    runner.step().await.unwrap();
    store.process(1, None).await.unwrap();
    store.claim(1).await.unwrap();
    runner.taken_up = false;
    runner.step().await.unwrap();
    assert_eq!((job(&store, 1).await.attempts, job(&store, 2).await.attempts), (1, 2));
    assert_eq!(runner.taken, BTreeSet::from([1, 2]));
}

#[test]
fn waits_longer_each_time() {
    for (attempts, seconds) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
        let wait = retry_after(attempts);
        assert!(wait >= seconds * 500_000 && wait <= seconds * 1_000_000);
    }
}
