//! Jobs in the database: taken when they are due, and ended with what came of them.

use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, prelude::Expr,
    sea_query::ExprTrait,
};

use super::Group;
use crate::{
    limits::JOB_ATTEMPTS,
    store::{
        entity::job,
        error::StoreError,
        events::Change,
        model::{Claimed, Item, Job, JobState, Outcome},
        request::{Once, Written},
    },
};

impl Group {
    /// Takes up to `limit` jobs that are due.
    pub(super) async fn claim(&mut self, transaction: &DatabaseTransaction, limit: u64) -> Result<Claimed, DbErr> {
        use job::Column::{Attempts, Id, State, UpdatedAt};
        let now = self.now;
        let rows = due(now, limit).all(transaction).await?;
        if rows.is_empty() {
            let next = queued().one(transaction).await?.map(|row| row.run_at);
            return Ok(Claimed { jobs: Vec::new(), next });
        }
        job::Entity::update_many()
            .col_expr(State, Expr::value(JobState::Running))
            .col_expr(Attempts, Expr::col(Attempts).add(1))
            .col_expr(UpdatedAt, Expr::value(now))
            .filter(Id.is_in(rows.iter().map(|row| row.id)))
            .exec(transaction)
            .await?;
        self.load_items(transaction, rows.iter().map(|row| row.item_id).collect()).await?;
        let claimed = rows.into_iter().map(|mut row| {
            row.state = JobState::Running;
            row.attempts += 1;
            row.updated_at = now;
            let item = self.item(row.item_id).cloned().map(Item::from);
            (Job::from(row), item)
        });
        Ok(Claimed { jobs: claimed.collect(), next: Some(now) })
    }

    /// Writes down how jobs ended, and tells of those that are done.
    pub(super) async fn finish(
        &mut self,
        transaction: &DatabaseTransaction,
        outcomes: Vec<(i64, Outcome)>,
    ) -> Result<(), DbErr> {
        let rows = job::Entity::find()
            .filter(job::Column::Id.is_in(outcomes.iter().map(|(id, _)| *id)))
            .all(transaction)
            .await?;
        self.load_items(transaction, rows.iter().map(|row| row.item_id).collect()).await?;
        for (id, outcome) in outcomes {
            let Some(mut row) = rows.iter().find(|row| row.id == id).cloned() else { continue };
            end(&mut row, outcome);
            row.updated_at = self.now;
            write(transaction, &row).await?;
            if row.state == JobState::Done
                && let Some(item) = self.item(row.item_id).cloned()
            {
                self.changes.push(Change::Processed(item.into(), row.into()));
            }
        }
        Ok(())
    }

    /// A job that has failed waits again, as if it had not been tried.
    pub(super) async fn retry(
        &mut self,
        transaction: &DatabaseTransaction,
        id: i64,
        once: Option<Once<Job>>,
    ) -> Result<Result<Written<Job>, StoreError>, DbErr> {
        let row = job::Entity::find_by_id(id).one(transaction).await?;
        let mut anew = None;
        let written = self.once(once, |group| match row {
            None => Err(StoreError::NoJob(id)),
            Some(row) if row.state != JobState::Failed => Err(StoreError::NotFailed { id, state: row.state }),
            Some(row) => {
                let (state, now) = (JobState::Queued, group.now);
                let row = job::Model { state, attempts: 0, run_at: now, error: None, updated_at: now, ..row };
                Ok(anew.insert(row).clone().into())
            }
        });
        if let Some(row) = anew {
            write(transaction, &row).await?;
            self.queued = true;
        }
        Ok(written)
    }

    /// Jobs that nobody works on any more wait again. An attempt that the end of the process cut off counts.
    pub(super) async fn requeue(&self, transaction: &DatabaseTransaction, except: &[i64]) -> Result<u64, DbErr> {
        use job::Column::{Id, State, UpdatedAt};
        let result = job::Entity::update_many()
            .col_expr(State, Expr::value(JobState::Queued))
            .col_expr(UpdatedAt, Expr::value(self.now))
            .filter(State.eq(JobState::Running))
            .filter(Id.is_not_in(except.iter().copied()))
            .exec(transaction)
            .await?;
        Ok(result.rows_affected)
    }
}

/// The jobs that wait, the next one first.
pub(in crate::store) fn queued() -> Select<job::Entity> {
    use job::Column::{Id, RunAt, State};
    job::Entity::find().filter(State.eq(JobState::Queued)).order_by_asc(RunAt).order_by_asc(Id)
}

/// Those of them that are due.
pub(in crate::store) fn due(now: i64, limit: u64) -> Select<job::Entity> {
    queued().filter(job::Column::RunAt.lte(now)).limit(limit)
}

/// Writes back what changes of a job.
async fn write(transaction: &DatabaseTransaction, row: &job::Model) -> Result<(), DbErr> {
    use job::Column::{Attempts, Error, Id, Result, RunAt, State, UpdatedAt};
    job::Entity::update_many()
        .col_expr(State, Expr::value(row.state))
        .col_expr(Attempts, Expr::value(row.attempts))
        .col_expr(RunAt, Expr::value(row.run_at))
        .col_expr(Result, Expr::value(row.result.clone()))
        .col_expr(Error, Expr::value(row.error.clone()))
        .col_expr(UpdatedAt, Expr::value(row.updated_at))
        .filter(Id.eq(row.id))
        .exec(transaction)
        .await?;
    Ok(())
}

fn end(row: &mut job::Model, outcome: Outcome) {
    match outcome {
        Outcome::Done(result) => {
            row.state = JobState::Done;
            row.result = Some(result.get().to_owned());
            row.error = None;
        }
        Outcome::Again { error, at } if row.attempts < i64::from(JOB_ATTEMPTS) => {
            row.state = JobState::Queued;
            row.run_at = at;
            row.error = Some(error);
        }
        Outcome::Failed(error) | Outcome::Again { error, .. } => {
            row.state = JobState::Failed;
            row.error = Some(error);
        }
    }
}
