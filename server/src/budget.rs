//! The memory that slow clients hold, by answers that they don't read and by bodies that they don't end: bounded in sum, so
//! that they cost the others a 503 at worst, and never the process.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{connection_limit::Slot, write_deadline::ANSWER_STALL};

/// Memory for answers that are not read yet, all together, and as much for bodies that are not whole yet.
const BUDGET_BYTES: usize = 64 << 20;

/// Up to so many bytes an answer or a body is not counted: each connection's own buffers hold as much.
const FREE_BYTES: usize = 16 * 1024;

/// What is left of the memory for answers, or for bodies. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

/// A part of it; given back when dropped.
#[derive(Default)]
pub(crate) struct Share {
    permit: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// [`BUDGET_BYTES`], or a quarter of the memory that the process may still take, if that is less.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(or_a_quarter(BUDGET_BYTES))))
    }

    /// Whether hardly anything is left.
    pub(crate) fn is_spent(&self) -> bool {
        self.0.available_permits() < 4 * FREE_BYTES
    }

    /// A share for so many bytes, if it is left.
    pub(crate) fn take(&self, bytes: usize) -> Option<Share> {
        let mut share = Share::default();
        self.grow(&mut share, bytes).then_some(share)
    }

    /// Makes a share one for so many bytes in all, if they are left.
    #[must_use]
    pub(crate) fn grow(&self, share: &mut Share, bytes: usize) -> bool {
        let held = share.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if bytes <= FREE_BYTES.max(held) {
            return true;
        }
        let more = u32::try_from(bytes - held).ok().and_then(|more| self.0.clone().try_acquire_many_owned(more).ok());
        let Some(more) = more else { return false };
        match &mut share.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        true
    }

    /// A share for so many bytes, for which others are waited for as long as they may hold theirs without reading.
    pub(crate) async fn wait(&self, bytes: usize) -> Option<Share> {
        if bytes <= FREE_BYTES {
            return Some(Share::default());
        }
        let permit = self.0.clone().acquire_many_owned(u32::try_from(bytes).ok()?);
        Some(Share { permit: Some(timeout(2 * ANSWER_STALL, permit).await.ok()?.ok()?) })
    }
}

/// So many bytes, or a quarter of the memory that the process may still take, if that is less.
pub(crate) fn or_a_quarter(bytes: usize) -> usize {
    memory_left().map_or(bytes, |left| bytes.min(left / 4))
}

/// What `RLIMIT_AS` leaves, if there is such a limit.
fn memory_left() -> Option<usize> {
    let (limit, _) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_AS).ok()?;
    if limit == nix::sys::resource::RLIM_INFINITY {
        return None;
    }
    let pages: usize = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').next()?.parse().ok()?;
    Some(usize::try_from(limit).ok()?.saturating_sub(pages * 4096))
}

/// A body with its share of the budget.
pub(crate) struct Counted<B> {
    pub(crate) body: B,
    /// Held until the body is gone.
    pub(crate) _share: Share,
    /// The connection's slot, which counts for whoever asked.
    pub(crate) _slot: Option<Slot>,
}

impl<B: Body + Unpin> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_left_is_not_given() {
        let budget = Budget(Arc::new(Semaphore::new(100_000)));
        let share = budget.take(60_000).unwrap();
        assert!(budget.take(60_000).is_none());
        assert!(budget.take(FREE_BYTES).is_some(), "small answers are always given");
        drop(share);
        assert!(budget.take(60_000).is_some());
    }

    #[test]
    fn a_share_grows_as_far_as_there_is_something_left() {
        let budget = Budget(Arc::new(Semaphore::new(100_000)));
        let mut share = Share::default();
        assert!(budget.grow(&mut share, FREE_BYTES) && budget.0.available_permits() == 100_000);
        assert!(budget.grow(&mut share, 60_000) && budget.grow(&mut share, 100_000));
        assert!(!budget.grow(&mut share, 100_001) && budget.is_spent());
        drop(share);
        assert_eq!(budget.0.available_permits(), 100_000);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_it_once_it_is_given_back_or_gives_up() {
        let budget = Budget(Arc::new(Semaphore::new(100_000)));
        let share = budget.take(60_000).unwrap();
        assert!(budget.wait(60_000).await.is_none());
        let (waited, ()) = tokio::join!(budget.wait(60_000), async {
            tokio::task::yield_now().await;
            drop(share);
        });
        assert!(waited.is_some());
    }
}
