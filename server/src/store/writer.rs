//! The one writer. Everything that waits when it is free goes into its next transaction, so that the cost of a sync is
//! shared; each request still gets an answer of its own, and one that can't be done leaves the others alone.

use std::{sync::Arc, time::Duration};

use grtc_protocol::limits::BULK_ITEMS;
use sea_orm::DatabaseConnection;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tracing::warn;

use super::{
    Shared, Store, StoreError,
    group::Group,
    model::{Answer, Condition, Item, Job, NewItem, Patch, Status},
    work::Outcome,
};

/// Requests that may wait for the writer; more wait for a place among them.
const QUEUE: usize = 1_024;
/// Rows that one transaction takes in; a bulk that comes first may be all of it.
const GROUP_ROWS: usize = 10 * BULK_ITEMS;
/// Rows that go into the search index at a time.
const INDEX_ROWS: usize = 500;
/// How long nothing is written before the search index is brought up to date by itself.
const IDLE: Duration = Duration::from_millis(200);

/// A change to the store.
#[derive(Debug)]
pub(crate) enum Op {
    Create(Vec<NewItem>),
    Update {
        id: i64,
        patch: Patch,
        condition: Condition,
    },
    Delete {
        id: i64,
        condition: Condition,
    },
    SetStatus {
        ids: Vec<i64>,
        status: Status,
    },
    /// Queues a job for an item.
    Process {
        id: i64,
    },
    /// Takes the jobs that are due, at most so many.
    Claim {
        jobs: u64,
    },
    /// Says how jobs that were taken ended.
    Finish(Vec<(i64, Outcome)>),
    /// Puts jobs that were being worked on when the process ended back into the queue.
    Requeue,
    /// Brings the search index closer to the items.
    Index,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Done {
    Items(Vec<Item>),
    Item(Item),
    Queued(Job),
    /// The jobs that were taken, each with the item that it is about, and when the next one is due.
    Claimed {
        jobs: Vec<(Job, Option<Item>)>,
        next: Option<i64>,
    },
    Count(usize),
    /// The answer that an earlier request with the same key got.
    Again(Answer),
    Nothing,
}

/// A request that is to be done once, however often it is sent.
#[derive(Debug)]
pub(crate) struct Once {
    pub(crate) key: String,
    /// Tells the request from another one under the same key.
    pub(crate) fingerprint: String,
    /// The answer to be kept.
    pub(crate) answer: fn(&Done) -> Answer,
}

pub(super) struct Write {
    pub(super) op: Op,
    pub(super) once: Option<Once>,
    pub(super) reply: oneshot::Sender<Result<Done, StoreError>>,
}

/// Where requests are put in.
#[derive(Clone)]
pub(super) struct Handle(mpsc::Sender<Write>);

/// The writer's task.
pub(crate) struct Writer(JoinHandle<()>);

impl Writer {
    /// Waits until the last handle is gone and all that was asked for is done.
    pub(crate) async fn finish(self) {
        if let Err(error) = self.0.await {
            warn!(%error, "the writer did not end well");
        }
    }
}

pub(super) fn start(database: DatabaseConnection, shared: Arc<Shared>, memory: bool) -> (Handle, Writer) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Handle(sender), Writer(tokio::spawn(run(database, shared, receiver, memory))))
}

impl Store {
    /// Does `op`, together with whatever else waits. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    /// See [`StoreError`]; nothing has changed then.
    pub(crate) async fn write(&self, op: Op, once: Option<Once>) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.writer.0.send(Write { op, once, reply }).await.map_err(|_| StoreError::Stopping)?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }
}

async fn run(database: DatabaseConnection, shared: Arc<Shared>, mut requests: mpsc::Receiver<Write>, memory: bool) {
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(write) => write,
            None => match receive(&mut requests, &shared).await {
                Some(write) => write,
                None => break,
            },
        };
        let mut rows = first.op.rows();
        let mut group = vec![first];
        while let Ok(write) = requests.try_recv() {
            rows += write.op.rows();
            if rows > GROUP_ROWS {
                next = Some(write);
                break;
            }
            group.push(write);
        }
        if !commit(&database, &shared, group).await && !memory {
            renew(&database).await;
        }
    }
    if let Err(error) = database.close().await {
        warn!(%error, "the database did not close well");
    }
}

/// The next request; after a while without one, a step of the search index.
async fn receive(requests: &mut mpsc::Receiver<Write>, shared: &Shared) -> Option<Write> {
    let behind = {
        let state = shared.state();
        state.indexed < state.rev
    };
    if !behind {
        return requests.recv().await;
    }
    match timeout(IDLE, requests.recv()).await {
        Ok(request) => request,
        Err(_) => Some(Write { op: Op::Index, once: None, reply: oneshot::channel().0 }),
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

/// Does a group's requests; whether the database took them.
async fn commit(database: &DatabaseConnection, shared: &Shared, group: Vec<Write>) -> bool {
    let (mut requests, mut replies) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
    for Write { op, once, reply } in group {
        requests.push((op, once));
        replies.push(reply);
    }
    // A client that no longer waits is no reason to stop: what it asked for is done all the same.
    match Group::run(database, shared, requests, INDEX_ROWS).await {
        Ok(results) => {
            for (reply, result) in replies.into_iter().zip(results) {
                let _ = reply.send(result);
            }
            true
        }
        Err(error) => {
            warn!(%error, "a transaction failed; nothing of it was done");
            let error = Arc::new(error);
            for reply in replies {
                let _ = reply.send(Err(StoreError::Unavailable(error.clone())));
            }
            false
        }
    }
}

impl Op {
    fn rows(&self) -> usize {
        match self {
            Self::Create(items) => items.len(),
            Self::SetStatus { ids, .. } => ids.len(),
            Self::Finish(jobs) => jobs.len(),
            Self::Index => INDEX_ROWS,
            _ => 1,
        }
    }
}
