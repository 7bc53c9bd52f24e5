//! One transaction for many requests: what they touch is loaded once, they are done in order in memory, and what has
//! changed is written back with one statement a table.

mod change;
mod flush;
mod load;

use std::collections::{BTreeSet, HashMap};

use grtc_protocol::limits::IDEMPOTENCY_AGE;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use super::{
    Shared, StoreError,
    entity::{answer, item, job},
    events::Change,
    model::{Answer, Status},
    search, work,
    writer::{Done, Once, Op},
};

/// Rows in one statement: SQLite has a limit on its parameters.
const STATEMENT_ROWS: usize = 1_000;

/// What a transaction has in its hands.
pub(super) struct Group {
    now: i64,
    /// The items that the requests name, `None` where there is none (any more).
    items: HashMap<i64, Option<item::Model>>,
    /// What is to be written back, by id.
    dirty: BTreeSet<i64>,
    deleted: Vec<i64>,
    jobs: Vec<job::Model>,
    answers: HashMap<String, answer::Model>,
    new_answers: Vec<answer::Model>,
    next_item: i64,
    next_job: i64,
    rev: i64,
    /// The number of the last change before this transaction.
    committed: i64,
    indexed: i64,
    pub(super) changes: Vec<Change>,
    counts: HashMap<Status, i64>,
}

type Results = Vec<Result<Done, StoreError>>;

impl Group {
    /// Does all requests in one transaction.
    ///
    /// # Errors
    /// When the database can't take it: then nothing has changed.
    pub(super) async fn run(
        database: &DatabaseConnection,
        shared: &Shared,
        requests: Vec<(Op, Option<Once>)>,
        index_rows: usize,
    ) -> Result<Results, DbErr> {
        // Immediate: the right to write is there from the start, or waited for, and can't be lost halfway.
        let immediate = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: immediate, ..TransactionOptions::default() };
        let transaction = database.begin_with_options(options).await?;
        let mut group = Self::load(&transaction, shared, &requests).await?;
        let mut results = Vec::with_capacity(requests.len());
        for (op, once) in requests {
            results.push(match once {
                None => group.perform(&transaction, op, index_rows).await?,
                Some(once) => group.perform_once(&transaction, op, once, index_rows).await?,
            });
        }
        group.flush(&transaction).await?;
        transaction.commit().await?;
        group.publish(shared);
        Ok(results)
    }
    async fn perform_once(
        &mut self,
        transaction: &DatabaseTransaction,
        op: Op,
        once: Once,
        index_rows: usize,
    ) -> Result<Result<Done, StoreError>, DbErr> {
        if let Some(row) = self.answers.get(&once.key) {
            return Ok(match row.fingerprint == once.fingerprint {
                true => Ok(Done::Again(row.clone().into())),
                false => Err(StoreError::KeyReused),
            });
        }
        let result = self.perform(transaction, op, index_rows).await?;
        if let Ok(done) = &result {
            let Answer { status, location, etag, body } = (once.answer)(done);
            let Once { key, fingerprint, .. } = once;
            let status = i32::from(status);
            let row = answer::Model { key, fingerprint, status, location, etag, body, created_at: self.now };
            self.answers.insert(row.key.clone(), row.clone());
            self.new_answers.push(row);
        }
        Ok(result)
    }

    async fn perform(
        &mut self,
        transaction: &DatabaseTransaction,
        op: Op,
        index_rows: usize,
    ) -> Result<Result<Done, StoreError>, DbErr> {
        Ok(match op {
            Op::Create(items) => Ok(Done::Items(items.into_iter().map(|new| self.create(new)).collect())),
            Op::Update { id, patch, condition } => self.update(id, patch, &condition),
            Op::Delete { id, condition } => {
                if self.dirty.contains(&id) {
                    // SQLite keeps the highest id for ever, but of a row that was there only.
                    self.flush_items(transaction).await?;
                }
                self.delete(id, &condition)
            }
            Op::SetStatus { ids, status } => Ok(Done::Count(self.set_status(ids, status))),
            Op::Process { id } => self.process(id),
            Op::Claim { jobs } => Ok(work::claim(self, transaction, jobs).await?),
            Op::Finish(jobs) => Ok(work::finish(self, transaction, jobs).await?),
            Op::Requeue => Ok(work::requeue(transaction, self.now).await?),
            Op::Index => {
                self.indexed = search::index(transaction, self.indexed, self.committed, index_rows).await?;
                Ok(Done::Nothing)
            }
        })
    }

    pub(super) fn now(&self) -> i64 {
        self.now
    }

    pub(super) fn item(&self, id: i64) -> Option<&item::Model> {
        self.items.get(&id)?.as_ref()
    }

    fn oldest_answer(&self) -> i64 {
        self.now - i64::try_from(IDEMPOTENCY_AGE.as_micros()).unwrap_or(i64::MAX)
    }

    /// Tells the others, after the commit.
    fn publish(self, shared: &Shared) {
        let mut state = shared.state();
        for (status, change) in self.counts {
            *state.counts.entry(status).or_default() += change;
        }
        if state.rev != self.rev {
            state.matches.clear();
        }
        state.rev = self.rev;
        state.indexed = self.indexed;
        drop(state);
        shared.events.publish(&self.changes);
        if !self.jobs.is_empty() {
            shared.queued.send_replace(());
        }
    }
}

impl From<answer::Model> for Answer {
    fn from(row: answer::Model) -> Self {
        let status = u16::try_from(row.status).unwrap_or(500);
        Self { status, location: row.location, etag: row.etag, body: row.body }
    }
}
