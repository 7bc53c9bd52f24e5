//! What an export has, into an empty database: all of it in one transaction, or nothing.

use std::io::BufRead;

use anyhow::{anyhow, ensure};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, TransactionTrait,
};

use super::{
    administration, alone,
    entity::{item, job},
    group::index,
    migration,
    model::JobState,
    sequence,
    sql::is_full,
    writer::INDEX_ROWS,
};
use crate::transfer::{Counts, ItemRecord, JobRecord, Reader, Record};

#[cfg(test)]
mod tests;

/// Rows in one statement.
const STATEMENT_ROWS: usize = 500;
/// Bytes of text in one statement, but for a single longer row.
const STATEMENT_BYTES: usize = 1024 * 1024;

/// Reads `input` into the database at a `sqlite:` URL, which is made or brought up to date first. `tell` hears how far it
/// is.
///
/// # Errors
/// When a line is not as it has to be or one is missing, the database has had items or jobs before, or another program has
/// it open. Nothing of `input` is in it then.
pub(crate) async fn import(url: &str, input: impl BufRead, tell: impl FnMut(Counts)) -> anyhow::Result<Counts> {
    // Before anything is made: what is no export at all leaves no database behind.
    let reader = Reader::open(input)?;
    let database = alone::open(url).await?;
    migration::bring_up_to_date(&database).await?;
    // So that a disk which gets full has the schema already, and the log can go.
    database.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    let imported = all(&database, reader, tell).await;
    database.close().await?;
    imported
}

async fn all(
    database: &DatabaseConnection,
    mut reader: Reader<impl BufRead>,
    mut tell: impl FnMut(Counts),
) -> anyhow::Result<Counts> {
    let transaction = database.begin().await.map_err(unwritable)?;
    empty(&transaction).await?;
    let mut rows = Rows { transaction: &transaction, items: Vec::new(), jobs: Vec::new(), bytes: 0, rev: 0 };
    while let Some(record) = reader.record()? {
        rows.put(record).await.map_err(unwritable)?;
        tell(reader.counts());
    }
    rows.flush().await.map_err(unwritable)?;
    let (rev, header) = (rows.rev, reader.header());
    sequence::go_on(&transaction, header.highest_item_id, header.highest_job_id).await.map_err(unwritable)?;
    let mut indexed = 0;
    while indexed < rev {
        indexed = index::index(&transaction, indexed, rev, INDEX_ROWS).await.map_err(unwritable)?;
    }
    transaction.commit().await.map_err(unwritable)?;
    Ok(reader.counts())
}

/// An id is never used again: so none may have been used.
async fn empty(transaction: &DatabaseTransaction) -> anyhow::Result<()> {
    let (items, jobs) = sequence::highest(transaction).await?;
    let rows = item::Entity::find().count(transaction).await? + job::Entity::find().count(transaction).await?;
    ensure!(
        rows == 0 && items == 0 && jobs == 0,
        "there are items or jobs in it, or there were (ids up to {items} and {jobs}), and an id is never used again: \
         import into a new database"
    );
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn unwritable(error: DbErr) -> anyhow::Error {
    match is_full(&error) {
        true => anyhow!("its disk is full, and nothing was imported: there has to be room for the new database twice"),
        false => anyhow!("it can't be written, and nothing was imported: {error}"),
    }
}

/// Rows that wait for a statement.
struct Rows<'a> {
    transaction: &'a DatabaseTransaction,
    items: Vec<item::Model>,
    jobs: Vec<job::Model>,
    bytes: usize,
    /// The number of the last change, each item being one.
    rev: i64,
}

impl Rows<'_> {
    async fn put(&mut self, record: Record) -> Result<(), DbErr> {
        match record {
            Record::Item(item) => {
                self.rev += 1;
                self.bytes += item.title.len() + item.description.as_ref().map_or(0, String::len);
                self.items.push(item_row(item, self.rev));
            }
            Record::Job(job) => {
                let texts = [job.error.as_deref(), job.result.as_ref().map(|json| json.get())];
                self.bytes += texts.into_iter().flatten().map(str::len).sum::<usize>();
                self.jobs.push(job_row(job));
            }
            Record::Revocation(revoked) => {
                administration::revoke(self.transaction, &revoked.kind, &revoked.name, revoked.at).await?;
            }
        }
        match self.items.len() + self.jobs.len() >= STATEMENT_ROWS || self.bytes >= STATEMENT_BYTES {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    async fn flush(&mut self) -> Result<(), DbErr> {
        self.bytes = 0;
        if !self.items.is_empty() {
            let rows = self.items.drain(..).map(|row| row.into_active_model().reset_all());
            item::Entity::insert_many(rows).exec_without_returning(self.transaction).await?;
        }
        if !self.jobs.is_empty() {
            let rows = self.jobs.drain(..).map(|row| row.into_active_model().reset_all());
            job::Entity::insert_many(rows).exec_without_returning(self.transaction).await?;
        }
        Ok(())
    }
}

fn item_row(item: ItemRecord, rev: i64) -> item::Model {
    let ItemRecord { id, title, description, status, created_at, updated_at, version } = item;
    item::Model { id, title, description, status, created_at, updated_at, version, rev }
}

fn job_row(job: JobRecord) -> job::Model {
    let JobRecord { id, item_id, state, attempts, run_at, result, error, created_at, updated_at } = job;
    // Nobody works on it here.
    let state = if state == JobState::Running { JobState::Queued } else { state };
    let result = result.map(|json| json.get().to_owned());
    job::Model { id, item_id, state, attempts, run_at, result, error, created_at, updated_at }
}
