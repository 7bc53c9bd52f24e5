//! The memory that all rooms of a server together keep frames in, for those who come back and those who come later.
//! A frame that many keep counts once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use grtc_protocol::limits::KEPT_SHARE;

use super::Text;

/// What an allocation of a text costs beside its bytes: this struct, the counts of its holders, and what the allocator adds.
const OVERHEAD: usize = 128;

/// How much is kept, and how much may be. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    most: usize,
    taken: AtomicUsize,
}

/// A text that is kept, by one or by many.
#[derive(Debug)]
pub(crate) struct Held {
    text: Text,
    pool: Pool,
}

impl Pool {
    /// Of so many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Counts { most, taken: AtomicUsize::new(0) }))
    }

    /// How many bytes one keeper may keep now: a part of what is left. So those who keep most give way first, and
    /// something is left for those who keep little.
    pub(crate) fn share(&self) -> usize {
        self.0.most.saturating_sub(self.taken()) / KEPT_SHARE
    }

    pub(crate) fn hold(&self, text: Text) -> Arc<Held> {
        self.take(text.len() + OVERHEAD);
        Arc::new(Held { text, pool: self.clone() })
    }

    pub(crate) fn take(&self, bytes: usize) {
        self.0.taken.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        self.0.taken.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn taken(&self) -> usize {
        self.0.taken.load(Relaxed)
    }
}

impl Held {
    pub(crate) fn text(&self) -> &Text {
        &self.text
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool.give_back(self.text.len() + OVERHEAD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_counts_once_and_until_the_last_one_lets_go() {
        let pool = Pool::new(16_000);
        let held = pool.hold("x".repeat(1_600 - OVERHEAD).into());
        let other = held.clone();
        assert_eq!((pool.taken(), pool.share()), (1_600, 14_400 / KEPT_SHARE));
        drop(held);
        assert_eq!(pool.taken(), 1_600);
        drop(other);
        assert_eq!(pool.taken(), 0);
        pool.take(17_000);
        assert_eq!(pool.share(), 0);
    }
}
