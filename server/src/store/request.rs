//! What the writer is asked for, each request with the way back for its answer.

use tokio::sync::oneshot;

use super::{
    administration::{Deed, Effect},
    error::StoreError,
    model::{Answer, Claimed, Condition, Item, Job, NewItem, Outcome, Patch, Status},
};

/// A request that is to be done once, however often it is sent.
pub(crate) struct Once<T> {
    pub(crate) key: String,
    /// Tells the request from another one under the same key.
    pub(crate) fingerprint: String,
    /// Makes the answer that is kept.
    pub(crate) answer: fn(&T) -> Answer,
}

/// What came of a request that may carry an idempotency key.
#[derive(Debug)]
pub(crate) enum Written<T> {
    /// Without a key: this was done.
    Done(T),
    /// With a key: the answer that is kept under it, made now or earlier.
    Kept(Answer),
}

impl<T> Written<T> {
    /// The answer, made by `answer` if none is kept.
    pub(crate) fn answer(self, answer: fn(&T) -> Answer) -> Answer {
        match self {
            Self::Done(done) => answer(&done),
            Self::Kept(kept) => kept,
        }
    }
}

/// Who waits for an answer, and the answer while it waits for the commit.
pub(super) struct Reply<T> {
    to: oneshot::Sender<Result<T, StoreError>>,
    answer: Option<Result<T, StoreError>>,
}

impl<T> Reply<T> {
    pub(super) fn to(to: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { to, answer: None }
    }

    pub(super) fn set(&mut self, answer: Result<T, StoreError>) {
        self.answer = Some(answer);
    }

    /// Answers: with what was set, or that it was not committed. A client that no longer waits is no reason to stop:
    /// what it asked for is done all the same.
    fn settle(self, committed: Result<(), StoreError>) {
        if let Some(answer) = committed.map_or_else(|error| Some(Err(error)), |()| self.answer) {
            let _ = self.to.send(answer);
        }
    }
}

/// A change to the store.
pub(super) enum Op {
    Create {
        items: Vec<NewItem>,
        once: Option<Once<Vec<Item>>>,
        reply: Reply<Written<Vec<Item>>>,
    },
    Update {
        id: i64,
        patch: Patch,
        condition: Condition,
        reply: Reply<Item>,
    },
    Delete {
        id: i64,
        condition: Condition,
        reply: Reply<()>,
    },
    SetStatus {
        ids: Vec<i64>,
        status: Status,
        reply: Reply<usize>,
    },
    /// Queues a job for an item.
    Process {
        id: i64,
        once: Option<Once<Job>>,
        reply: Reply<Written<Job>>,
    },
    /// Queues a job anew that has failed.
    Retry {
        id: i64,
        once: Option<Once<Job>>,
        reply: Reply<Written<Job>>,
    },
    /// Takes the jobs that are due, at most so many.
    Claim {
        limit: u64,
        reply: Reply<Claimed>,
    },
    /// Says how jobs that were taken ended.
    Finish {
        outcomes: Vec<(i64, Outcome)>,
        reply: Reply<()>,
    },
    /// Puts jobs that nobody works on any more back into the queue.
    Requeue {
        /// Those that are being worked on.
        except: Vec<i64>,
        reply: Reply<u64>,
    },
    /// Brings the search index closer to the items, by so many rows.
    Index {
        rows: usize,
        reply: Reply<()>,
    },
    /// Writes down what an administrator does, and what that leaves behind. Answered with when it was.
    Record {
        deed: Deed,
        effect: Effect,
        reply: Reply<i64>,
    },
    /// Tries whether anything can be written.
    Probe {
        reply: Reply<()>,
    },
}

impl Op {
    /// How many rows it changes at most.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Create { items, .. } => items.len(),
            Self::SetStatus { ids, .. } => ids.len(),
            Self::Finish { outcomes, .. } => outcomes.len(),
            Self::Index { rows, .. } => *rows,
            Self::Update { .. } | Self::Delete { .. } | Self::Process { .. } | Self::Retry { .. } => 1,
            Self::Claim { .. } | Self::Requeue { .. } | Self::Record { .. } | Self::Probe { .. } => 1,
        }
    }

    /// Whether it may take room; else it gives room back, or takes next to none.
    pub(super) fn grows(&self) -> bool {
        !matches!(self, Self::Delete { .. } | Self::Claim { .. } | Self::Finish { .. } | Self::Requeue { .. })
    }

    /// Bytes of text that it brings.
    pub(super) fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Self::Create { items, .. } => items.iter().map(|new| new.title.len() + length(&new.description)).sum(),
            Self::Update { patch, .. } => length(&patch.title) + patch.description.as_ref().map_or(0, length),
            _ => 0,
        }
    }

    /// The items that it names.
    pub(super) fn items(&self) -> &[i64] {
        match self {
            Self::Update { id, .. } | Self::Delete { id, .. } | Self::Process { id, .. } => std::slice::from_ref(id),
            Self::SetStatus { ids, .. } => ids,
            _ => &[],
        }
    }

    /// The idempotency key, if it carries one.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Create { once, .. } => once.as_ref().map(|once| once.key.as_str()),
            Self::Process { once, .. } | Self::Retry { once, .. } => once.as_ref().map(|once| once.key.as_str()),
            _ => None,
        }
    }

    /// Answers, after the commit or when there is none.
    pub(super) fn settle(self, committed: Result<(), StoreError>) {
        match self {
            Self::Create { reply, .. } => reply.settle(committed),
            Self::Update { reply, .. } => reply.settle(committed),
            Self::Delete { reply, .. }
            | Self::Finish { reply, .. }
            | Self::Index { reply, .. }
            | Self::Probe { reply } => reply.settle(committed),
            Self::SetStatus { reply, .. } => reply.settle(committed),
            Self::Process { reply, .. } | Self::Retry { reply, .. } => reply.settle(committed),
            Self::Claim { reply, .. } => reply.settle(committed),
            Self::Requeue { reply, .. } => reply.settle(committed),
            Self::Record { reply, .. } => reply.settle(committed),
        }
    }
}
