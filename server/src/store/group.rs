//! One transaction for many requests: what they touch is loaded once, they are done in order in memory, and what has
//! changed is written back with one statement a table.

use std::collections::{BTreeSet, HashMap};

use grtc_protocol::limits::IDEMPOTENCY_AGE;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait, IntoActiveModel, QueryFilter, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sea_query::OnConflict,
};

use super::{
    Shared, StoreError,
    entity::{answer, item, job},
    events::Change,
    model::{Answer, Condition, Item, Job, JobState, NewItem, Patch, Status, now},
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

    async fn load(
        transaction: &DatabaseTransaction,
        shared: &Shared,
        requests: &[(Op, Option<Once>)],
    ) -> Result<Self, DbErr> {
        let (rev, indexed) = {
            let state = shared.state();
            (state.rev, state.indexed)
        };
        let mut group = Self {
            now: now(),
            items: HashMap::new(),
            dirty: BTreeSet::new(),
            deleted: Vec::new(),
            jobs: Vec::new(),
            answers: HashMap::new(),
            new_answers: Vec::new(),
            next_item: 0,
            next_job: 0,
            rev,
            committed: rev,
            indexed,
            changes: Vec::new(),
            counts: HashMap::new(),
        };
        let mut ids = Vec::new();
        let mut makes_rows = false;
        for (op, _) in requests {
            match op {
                Op::Update { id, .. } | Op::Delete { id, .. } => ids.push(*id),
                Op::Process { id } => {
                    ids.push(*id);
                    makes_rows = true;
                }
                Op::SetStatus { ids: many, .. } => ids.extend(many),
                Op::Create(_) => makes_rows = true,
                Op::Claim { .. } | Op::Finish(_) | Op::Requeue | Op::Index => {}
            }
        }
        group.load_items(transaction, ids).await?;
        if makes_rows {
            group.load_sequences(transaction).await?;
        }
        let keys: Vec<&str> = requests.iter().filter_map(|(_, once)| Some(once.as_ref()?.key.as_str())).collect();
        if !keys.is_empty() {
            let rows = answer::Entity::find().filter(answer::Column::Key.is_in(keys)).all(transaction).await?;
            let oldest = group.oldest_answer();
            let known = rows.into_iter().filter(|row| row.created_at >= oldest);
            group.answers = known.map(|row| (row.key.clone(), row)).collect();
        }
        Ok(group)
    }

    pub(super) async fn load_items(
        &mut self,
        transaction: &DatabaseTransaction,
        mut ids: Vec<i64>,
    ) -> Result<(), DbErr> {
        ids.retain(|id| !self.items.contains_key(id));
        ids.sort_unstable();
        ids.dedup();
        for ids in ids.chunks(STATEMENT_ROWS) {
            self.items.extend(ids.iter().map(|id| (*id, None)));
            let found =
                item::Entity::find().filter(item::Column::Id.is_in(ids.iter().copied())).all(transaction).await?;
            self.items.extend(found.into_iter().map(|row| (row.id, Some(row))));
        }
        Ok(())
    }

    /// The highest ids ever given, which SQLite keeps for tables with `AUTOINCREMENT`.
    async fn load_sequences(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let sql = "SELECT name, seq FROM sqlite_sequence WHERE name IN ('items', 'jobs')";
        let statement = Statement::from_string(transaction.get_database_backend(), sql);
        for row in transaction.query_all_raw(statement).await? {
            match row.try_get_by_index::<String>(0)?.as_str() {
                "items" => self.next_item = row.try_get_by_index(1)?,
                _ => self.next_job = row.try_get_by_index(1)?,
            }
        }
        Ok(())
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

    fn create(&mut self, new: NewItem) -> Item {
        self.next_item += 1;
        self.rev += 1;
        let (id, now) = (self.next_item, self.now);
        let NewItem { title, description, status } = new;
        let row =
            item::Model { id, title, description, status, created_at: now, updated_at: now, version: 1, rev: self.rev };
        *self.counts.entry(status).or_default() += 1;
        let item = Item::from(row.clone());
        self.items.insert(id, Some(row));
        self.dirty.insert(id);
        self.changes.push(Change::Created(item.clone()));
        item
    }

    /// The item, if it is there and the request is for the version that it has.
    fn existing(&self, id: i64, condition: &Condition) -> Result<&item::Model, StoreError> {
        let row = self.item(id).ok_or(StoreError::NotFound(id))?;
        if condition.holds(row.version) { Ok(row) } else { Err(StoreError::Changed { id, version: row.version }) }
    }

    fn update(&mut self, id: i64, patch: Patch, condition: &Condition) -> Result<Done, StoreError> {
        let row = self.existing(id, condition)?.clone();
        if patch.is_empty() {
            return Ok(Done::Item(row.into()));
        }
        Ok(Done::Item(self.change(row, patch)))
    }

    fn change(&mut self, mut row: item::Model, patch: Patch) -> Item {
        let before = row.status;
        let Patch { title, description, status } = patch;
        row.title = title.unwrap_or(row.title);
        row.description = description.unwrap_or(row.description);
        row.status = status.unwrap_or(row.status);
        self.rev += 1;
        row.rev = self.rev;
        row.version += 1;
        // A clock that was set back does not make an item older than it was.
        row.updated_at = self.now.max(row.updated_at);
        *self.counts.entry(before).or_default() -= 1;
        *self.counts.entry(row.status).or_default() += 1;
        let item = Item::from(row.clone());
        self.dirty.insert(row.id);
        self.items.insert(row.id, Some(row));
        self.changes.push(Change::Updated(item.clone()));
        item
    }

    fn delete(&mut self, id: i64, condition: &Condition) -> Result<Done, StoreError> {
        let status = self.existing(id, condition)?.status;
        *self.counts.entry(status).or_default() -= 1;
        // A search that began before this must not remember what it counted.
        self.rev += 1;
        self.items.insert(id, None);
        self.dirty.remove(&id);
        self.deleted.push(id);
        self.changes.push(Change::Deleted(id));
        Ok(Done::Nothing)
    }

    /// Gives the items that there are this status, and says how many they are.
    fn set_status(&mut self, mut ids: Vec<i64>, status: Status) -> usize {
        ids.sort_unstable();
        ids.dedup();
        let rows: Vec<item::Model> = ids.iter().filter_map(|id| self.item(*id).cloned()).collect();
        let count = rows.len();
        for row in rows.into_iter().filter(|row| row.status != status) {
            self.change(row, Patch { status: Some(status), ..Patch::default() });
        }
        count
    }

    fn process(&mut self, id: i64) -> Result<Done, StoreError> {
        self.existing(id, &Condition::Always)?;
        self.next_job += 1;
        let row = job::Model {
            id: self.next_job,
            item_id: id,
            state: JobState::Queued,
            attempts: 0,
            run_at: self.now,
            result: None,
            error: None,
            created_at: self.now,
            updated_at: self.now,
        };
        let job = Job::from(row.clone());
        self.jobs.push(row);
        Ok(Done::Queued(job))
    }

    async fn flush_items(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        use item::Column::{Description, Id, Rev, Status, Title, UpdatedAt, Version};
        let dirty = std::mem::take(&mut self.dirty);
        let rows: Vec<item::Model> = dirty.iter().filter_map(|id| self.item(*id).cloned()).collect();
        let mut same_id = OnConflict::column(Id);
        same_id.update_columns([Title, Description, Status, UpdatedAt, Version, Rev]);
        for rows in rows.chunks(STATEMENT_ROWS) {
            let rows = rows.iter().cloned().map(with_all_columns);
            item::Entity::insert_many(rows).on_conflict(same_id.clone()).exec_without_returning(transaction).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        self.flush_items(transaction).await?;
        for ids in self.deleted.chunks(STATEMENT_ROWS) {
            item::Entity::delete_many().filter(item::Column::Id.is_in(ids.iter().copied())).exec(transaction).await?;
            search::forget(transaction, ids).await?;
        }
        for rows in self.jobs.chunks(STATEMENT_ROWS) {
            let rows = rows.iter().cloned().map(|row| row.into_active_model().reset_all());
            job::Entity::insert_many(rows).exec_without_returning(transaction).await?;
        }
        self.flush_answers(transaction).await
    }

    async fn flush_answers(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        if self.new_answers.is_empty() {
            return Ok(());
        }
        let old = answer::Column::CreatedAt.lt(self.oldest_answer());
        answer::Entity::delete_many().filter(old).exec(transaction).await?;
        let rows = std::mem::take(&mut self.new_answers);
        let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
        answer::Entity::insert_many(rows).exec_without_returning(transaction).await?;
        Ok(())
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

fn with_all_columns(row: item::Model) -> item::ActiveModel {
    let item::Model { id, title, description, status, created_at, updated_at, version, rev } = row;
    item::ActiveModel {
        id: Set(id),
        title: Set(title),
        description: Set(description),
        status: Set(status),
        created_at: Set(created_at),
        updated_at: Set(updated_at),
        version: Set(version),
        rev: Set(rev),
    }
}

impl From<answer::Model> for Answer {
    fn from(row: answer::Model) -> Self {
        let status = u16::try_from(row.status).unwrap_or(500);
        Self { status, location: row.location, etag: row.etag, body: row.body }
    }
}
