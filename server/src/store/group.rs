//! One transaction for many requests: what they touch is loaded once, they are done in order in memory, and what has
//! changed is written back with one statement a table.

mod change;
mod flush;
pub(super) mod index;
pub(super) mod jobs;
mod load;

use std::{
    collections::{BTreeSet, HashMap},
    mem::take,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::{
    administration,
    entity::{answer, item, job},
    error::StoreError,
    events::Change,
    model::{Answer, Status},
    request::{Once, Op, Written},
    shared::Shared,
};
use crate::limits::IDEMPOTENCY_AGE;

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
    /// Whether a job was queued.
    queued: bool,
    answers: HashMap<String, answer::Model>,
    new_answers: Vec<answer::Model>,
    next_item: i64,
    next_job: i64,
    rev: i64,
    /// The number of the last change before this transaction.
    committed: i64,
    indexed: i64,
    changes: Vec<Change>,
    counts: HashMap<Status, i64>,
}

impl Group {
    /// Does all requests in one transaction. Their answers are set, not given: that is for after this.
    ///
    /// # Errors
    /// When the database can't take it: then nothing has changed.
    pub(super) async fn run(database: &DatabaseConnection, shared: &Shared, ops: &mut [Op]) -> Result<(), DbErr> {
        // Immediate: the right to write is there from the start, or waited for, and can't be lost halfway.
        let immediate = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: immediate, ..TransactionOptions::default() };
        let transaction = database.begin_with_options(options).await?;
        let mut group = Self::load(&transaction, shared, ops).await?;
        for op in ops {
            group.perform(&transaction, op).await?;
        }
        group.flush(&transaction).await?;
        transaction.commit().await?;
        group.publish(shared);
        Ok(())
    }

    async fn perform(&mut self, transaction: &DatabaseTransaction, op: &mut Op) -> Result<(), DbErr> {
        match op {
            Op::Create { items, once, reply } => {
                let items = take(items);
                let create = |group: &mut Self| Ok(items.into_iter().map(|new| group.create(new)).collect());
                reply.set(self.once(once.take(), create));
            }
            Op::Update { id, patch, condition, reply } => reply.set(self.update(*id, take(patch), condition)),
            Op::Delete { id, condition, reply } => {
                if self.dirty.contains(id) {
                    // SQLite keeps the highest id for ever, but of a row that was there only.
                    self.flush_items(transaction).await?;
                }
                reply.set(self.delete(*id, condition));
            }
            Op::SetStatus { ids, status, reply } => reply.set(Ok(self.set_status(ids, *status))),
            Op::Process { id, once, reply } => reply.set(self.once(once.take(), |group| group.process(*id))),
            Op::Retry { id, once, reply } => reply.set(self.retry(transaction, *id, once.take()).await?),
            Op::Claim { limit, reply } => reply.set(Ok(self.claim(transaction, *limit).await?)),
            Op::Finish { outcomes, reply } => reply.set(Ok(self.finish(transaction, outcomes.clone()).await?)),
            Op::Requeue { except, reply } => reply.set(Ok(self.requeue(transaction, except).await?)),
            Op::Index { rows, reply } => {
                self.indexed = index::index(transaction, self.indexed, self.committed, *rows).await?;
                reply.set(Ok(()));
            }
            Op::Record { deed, effect, reply } => {
                administration::record(transaction, deed, effect, self.now).await?;
                reply.set(Ok(self.now));
            }
            Op::Probe { reply } => {
                transaction.execute_unprepared("UPDATE search_state SET rev = rev").await?;
                reply.set(Ok(()));
            }
        }
        Ok(())
    }

    /// Does a request once for its key, if it has one, and keeps the answer under it.
    fn once<T>(
        &mut self,
        once: Option<Once<T>>,
        perform: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Written<T>, StoreError> {
        let Some(Once { key, fingerprint, answer }) = once else { return perform(self).map(Written::Done) };
        if let Some(row) = self.answers.get(&key) {
            let same = row.fingerprint == fingerprint;
            return if same { Ok(Written::Kept(row.clone().into())) } else { Err(StoreError::KeyReused) };
        }
        let Answer { status, location, etag, body } = answer(&perform(self)?);
        let status = i32::from(status);
        let row = answer::Model { key, fingerprint, status, location, etag, body, created_at: self.now };
        self.answers.insert(row.key.clone(), row.clone());
        self.new_answers.push(row.clone());
        Ok(Written::Kept(row.into()))
    }

    fn item(&self, id: i64) -> Option<&item::Model> {
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
        if self.queued {
            shared.queued.send_replace(());
        }
    }
}
