//! Changing the store: one verb a change. When it returns `Ok`, the change is on disk.

use tokio::sync::oneshot;

use super::{
    administration::{Deed, Effect},
    error::StoreError,
    handle::Store,
    model::{Claimed, Condition, Item, Job, NewItem, Outcome, Patch, Status},
    request::{Once, Op, Reply, Written},
};

impl Store {
    /// Makes items: all or none, in this order.
    pub(crate) async fn create(
        &self,
        items: Vec<NewItem>,
        once: Option<Once<Vec<Item>>>,
    ) -> Result<Written<Vec<Item>>, StoreError> {
        self.write(|reply| Op::Create { items, once, reply }).await
    }

    /// Changes an item, if the condition holds for it.
    pub(crate) async fn update(&self, id: i64, patch: Patch, condition: Condition) -> Result<Item, StoreError> {
        self.write(|reply| Op::Update { id, patch, condition, reply }).await
    }

    /// Ends an item, if the condition holds for it.
    pub(crate) async fn delete(&self, id: i64, condition: Condition) -> Result<(), StoreError> {
        self.write(|reply| Op::Delete { id, condition, reply }).await
    }

    /// Gives the items that there are a status; how many there are.
    pub(crate) async fn set_status(&self, ids: Vec<i64>, status: Status) -> Result<usize, StoreError> {
        self.write(|reply| Op::SetStatus { ids, status, reply }).await
    }

    /// Queues a job for an item.
    pub(crate) async fn process(&self, id: i64, once: Option<Once<Job>>) -> Result<Written<Job>, StoreError> {
        self.write(|reply| Op::Process { id, once, reply }).await
    }

    /// Queues a job anew that has failed, as if it had not been tried.
    pub(crate) async fn retry(&self, id: i64, once: Option<Once<Job>>) -> Result<Written<Job>, StoreError> {
        self.write(|reply| Op::Retry { id, once, reply }).await
    }

    /// Takes the jobs that are due, at most so many.
    pub(crate) async fn claim(&self, limit: u64) -> Result<Claimed, StoreError> {
        self.write(|reply| Op::Claim { limit, reply }).await
    }

    /// Writes down how jobs that were taken ended, by their ids.
    pub(crate) async fn finish(&self, outcomes: Vec<(i64, Outcome)>) -> Result<(), StoreError> {
        self.write(|reply| Op::Finish { outcomes, reply }).await
    }

    /// Puts jobs back that nobody works on any more, which are all that run but for these; how many.
    pub(crate) async fn requeue(&self, except: Vec<i64>) -> Result<u64, StoreError> {
        self.write(|reply| Op::Requeue { except, reply }).await
    }

    /// Writes down what an administrator does, and what that leaves behind. Gives when it was, in microseconds.
    pub(crate) async fn record(&self, deed: Deed, effect: Effect) -> Result<i64, StoreError> {
        self.write(|reply| Op::Record { deed, effect, reply }).await
    }

    /// Brings the search index closer to the items.
    pub(super) async fn index(&self, rows: usize) -> Result<(), StoreError> {
        self.write(|reply| Op::Index { rows, reply }).await
    }

    /// Tries whether anything can be written.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        self.write(|reply| Op::Probe { reply }).await
    }

    async fn write<T>(&self, op: impl FnOnce(Reply<T>) -> Op) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.writer.send(op(Reply::to(reply))).await?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }
}
