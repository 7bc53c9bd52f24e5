//! The one writer. Everything that waits when it is free goes into its next transaction, so that the cost of a sync is
//! shared; each request still gets an answer of its own, and one that can't be done leaves the others alone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    error::StoreError,
    group::Group,
    request::{Op, Reply},
    shared::{Shared, Trouble},
    space::Space,
    sql::{is_full, statement},
};
use crate::{limits::BULK_ITEMS, metrics::Commits};

/// Requests that may wait for the writer; more wait for a place among them.
const QUEUE: usize = 1_024;
/// Rows that one transaction takes in; a bulk that comes first may be all of it.
const GROUP_ROWS: usize = 10 * BULK_ITEMS;
/// Rows that go into the search index at a time.
pub(super) const INDEX_ROWS: usize = 500;
/// How long nothing is written before the search index is brought up to date by itself, and then the log emptied.
const IDLE: Duration = Duration::from_millis(200);
/// How often it is tried whether something can be written again.
const PROBE: Duration = Duration::from_secs(1);
/// What the smallest change may take of the disk: pages of a few tables and indexes, in the log and in the database.
const SMALL: u64 = 128 * 1024;

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
    /// The disk; none for a database in memory, where both are the same one connection.
    pub(super) space: Option<Arc<Space>>,
}

pub(super) fn start(databases: Databases, shared: Arc<Shared>, commits: Commits) -> (Handle, Writer) {
    let (sender, requests) = mpsc::channel(QUEUE);
    let stop = CancellationToken::new();
    let work = Work { databases, shared, requests, stop: stop.clone(), commits, next: None, logged: false };
    (Handle(sender), Writer { task: tokio::spawn(work.run()), stop })
}

struct Work {
    databases: Databases,
    shared: Arc<Shared>,
    requests: mpsc::Receiver<Op>,
    stop: CancellationToken,
    commits: Commits,
    /// What did not fit into the last group.
    next: Option<Op>,
    /// Whether the log may hold what the database has not.
    logged: bool,
}

impl Work {
    async fn run(mut self) {
        if let Some(space) = &self.databases.space {
            space.keep();
        }
        while let Some(first) = self.first().await {
            let group = self.group(first);
            self.commit(group).await;
        }
        // The last one that is closed leaves one file: the one that may write.
        for database in [&self.databases.reader, &self.databases.writer] {
            if let Err(error) = database.close_by_ref().await {
                warn!(%error, "the database did not close well");
            }
        }
        if let Some(space) = &self.databases.space {
            space.give_up();
            space.clear_away();
        }
    }

    /// The next request; after a while without one, what is left to do.
    async fn first(&mut self) -> Option<Op> {
        if let Some(op) = self.next.take() {
            return Some(op);
        }
        loop {
            let (behind, trouble) = {
                let state = self.shared.state();
                (state.indexed < state.rev, state.trouble.is_some())
            };
            let wait = if trouble { PROBE } else { IDLE };
            tokio::select! {
                biased;
                op = self.requests.recv() => return op,
                () = self.stop.cancelled() => {
                    self.requests.close();
                    return self.requests.recv().await;
                }
                () = sleep(wait), if behind || trouble || self.logged => {}
            }
            let reply = Reply::to(oneshot::channel().0);
            match (trouble, behind) {
                (true, _) => return Some(Op::Probe { reply }),
                (false, true) => return Some(Op::Index { rows: INDEX_ROWS, reply }),
                (false, false) => self.empty_log().await,
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

    /// Does a group's requests; where the disk has no room for all of them, those that take none.
    async fn commit(&mut self, mut group: Vec<Op>) {
        let bytes = group.iter().map(Op::bytes).sum::<usize>() as u64;
        let need = SMALL.saturating_add(bytes.saturating_mul(4));
        let Some(space) = self.databases.space.clone().filter(|space| space.is_low(need)) else {
            return self.settled(group).await;
        };
        if group.iter().any(Op::grows) && space.free() < need && self.unused().await < need {
            self.shared.state().trouble = Some(Trouble::DiskFull);
            group = without_growth(group);
        }
        if !group.is_empty() {
            self.settled(group).await;
            self.empty_log().await;
        }
        space.keep();
    }

    /// Does a group's requests and answers them. If the disk is full, what gives room back is done by means of the
    /// room that was kept for it.
    async fn settled(&mut self, mut group: Vec<Op>) {
        let error = match self.transact(&mut group).await {
            Ok(()) => return settle(group, &Ok(())),
            Err(error) => error,
        };
        let Some(space) = self.databases.space.clone().filter(|_| is_full(&error)) else {
            return settle(group, &Err(error.into()));
        };
        let mut group = without_growth(group);
        if !group.is_empty() {
            space.give_up();
            self.empty_log().await;
            let committed = self.transact(&mut group).await;
            settle(group, &committed.map_err(|error| if is_full(&error) { StoreError::Full } else { error.into() }));
        }
    }

    /// One transaction; what came of it is known to all.
    async fn transact(&mut self, group: &mut [Op]) -> Result<(), DbErr> {
        let begun = Instant::now();
        let committed = Group::run(&self.databases.writer, &self.shared, group).await;
        self.commits.seconds.observe(begun.elapsed().as_secs_f64());
        self.commits.group_size.observe(f64::from(u32::try_from(group.len()).unwrap_or(u32::MAX)));
        self.logged = true;
        match &committed {
            Ok(()) if group.iter().any(Op::grows) => self.shared.state().trouble = None,
            Ok(()) => {}
            Err(error) => {
                let trouble = if is_full(error) { Trouble::DiskFull } else { Trouble::NoWrites };
                match self.shared.state().trouble.replace(trouble) {
                    Some(before) if before == trouble => debug!(%error, "another transaction failed"),
                    _ => warn!(%error, "a transaction failed; nothing of it was done"),
                }
                if self.databases.space.is_some() {
                    renew(&self.databases.writer).await;
                }
            }
        }
        committed
    }

    /// Puts what the log has into the database, as far as its readers and the disk let it.
    async fn empty_log(&mut self) {
        self.logged = false;
        if let Err(error) = number(&self.databases.writer, "PRAGMA wal_checkpoint(PASSIVE)").await {
            debug!(%error, "the log can't be emptied");
        }
    }

    /// Bytes of the database that nothing is in.
    async fn unused(&self) -> u64 {
        let pages = number(&self.databases.writer, "PRAGMA freelist_count").await.unwrap_or_default();
        let size = number(&self.databases.writer, "PRAGMA page_size").await.unwrap_or_default();
        u64::try_from(pages * size).unwrap_or_default()
    }
}

/// Answers what takes room, and gives back the rest.
fn without_growth(group: Vec<Op>) -> Vec<Op> {
    let (growing, others) = group.into_iter().partition(Op::grows);
    settle(growing, &Err(StoreError::Full));
    others
}

fn settle(group: Vec<Op>, committed: &Result<(), StoreError>) {
    for op in group {
        op.settle(committed.clone());
    }
}

async fn number(database: &DatabaseConnection, sql: &str) -> Result<i64, DbErr> {
    let row = database.query_one_raw(statement(database, sql, vec![])).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
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
