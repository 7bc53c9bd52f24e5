//! The one writer. Everything that waits when it is free goes into its next transaction, so that the cost of a sync is
//! shared; each request still gets an answer of its own, and one that can't be done leaves the others alone.

use std::{sync::Arc, time::Duration};

use sea_orm::DatabaseConnection;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    error::StoreError,
    group::Group,
    request::{Op, Reply},
    shared::Shared,
};
use crate::limits::BULK_ITEMS;

/// Requests that may wait for the writer; more wait for a place among them.
const QUEUE: usize = 1_024;
/// Rows that one transaction takes in; a bulk that comes first may be all of it.
const GROUP_ROWS: usize = 10 * BULK_ITEMS;
/// Rows that go into the search index at a time.
pub(super) const INDEX_ROWS: usize = 500;
/// How long nothing is written before the search index is brought up to date by itself.
const IDLE: Duration = Duration::from_millis(200);

/// Where requests are put in.
#[derive(Clone)]
pub(super) struct Handle(mpsc::Sender<Op>);

impl Handle {
    pub(super) async fn send(&self, op: Op) -> Result<(), StoreError> {
        self.0.send(op).await.map_err(|_| StoreError::Stopping)
    }

    /// Waits for the end of the writer's task.
    pub(super) async fn ended(&self) {
        self.0.closed().await;
    }
}

/// The writer's task.
pub(crate) struct Writer {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Writer {
    /// Does what was asked for up to now, takes nothing more, and closes the database. Whoever still holds a
    /// [`Store`](super::Store) does not hold this up.
    pub(crate) async fn finish(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            warn!(%error, "the writer did not end well");
        }
    }
}

/// The connections: one to write, some to read.
pub(super) struct Databases {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
    /// In memory both are the same one connection.
    pub(super) memory: bool,
}

pub(super) fn start(databases: Databases, shared: Arc<Shared>) -> (Handle, Writer) {
    let (sender, requests) = mpsc::channel(QUEUE);
    let stop = CancellationToken::new();
    let work = Work { databases, shared, requests, stop: stop.clone(), next: None };
    (Handle(sender), Writer { task: tokio::spawn(work.run()), stop })
}

struct Work {
    databases: Databases,
    shared: Arc<Shared>,
    requests: mpsc::Receiver<Op>,
    stop: CancellationToken,
    /// What did not fit into the last group.
    next: Option<Op>,
}

impl Work {
    async fn run(mut self) {
        while let Some(first) = self.first().await {
            let group = self.group(first);
            if !self.commit(group).await && !self.databases.memory {
                renew(&self.databases.writer).await;
            }
        }
        // The last one that is closed leaves one file: the one that may write.
        for database in [&self.databases.reader, &self.databases.writer] {
            if let Err(error) = database.close_by_ref().await {
                warn!(%error, "the database did not close well");
            }
        }
    }

    /// The next request; after a while without one, a step of the search index.
    async fn first(&mut self) -> Option<Op> {
        if let Some(op) = self.next.take() {
            return Some(op);
        }
        let behind = {
            let state = self.shared.state();
            state.indexed < state.rev
        };
        tokio::select! {
            biased;
            op = self.requests.recv() => op,
            () = self.stop.cancelled() => {
                self.requests.close();
                self.requests.recv().await
            }
            () = sleep(IDLE), if behind => {
                Some(Op::Index { rows: INDEX_ROWS, reply: Reply::to(oneshot::channel().0) })
            }
        }
    }

    /// All that waits now, and fits.
    fn group(&mut self, first: Op) -> Vec<Op> {
        let mut rows = first.rows();
        let mut group = vec![first];
        while let Ok(op) = self.requests.try_recv() {
            rows += op.rows();
            if rows > GROUP_ROWS {
                self.next = Some(op);
                break;
            }
            group.push(op);
        }
        group
    }

    /// Does a group's requests; whether the database took them.
    async fn commit(&self, mut group: Vec<Op>) -> bool {
        let committed = Group::run(&self.databases.writer, &self.shared, &mut group).await;
        let committed = committed.map_err(|error| {
            warn!(%error, "a transaction failed; nothing of it was done");
            StoreError::from(error)
        });
        for op in group {
            op.settle(committed.clone());
        }
        committed.is_ok()
    }
}

/// Closes the connection, so that the next transaction gets a new one. After a commit that failed the database library
/// takes the transaction for one that is still open, and the next commits for savepoints within it: they would be
/// acknowledged and never be on disk. Nor may a sync that failed be taken for done when a later one succeeds.
async fn renew(database: &DatabaseConnection) {
    match database.get_sqlite_connection_pool().acquire().await {
        Ok(connection) => {
            if let Err(error) = connection.close().await {
                warn!(%error, "the database's connection did not close well");
            }
        }
        Err(error) => warn!(%error, "the database has no connection to renew"),
    }
}
