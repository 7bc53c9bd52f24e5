//! Frames that are kept for somebody: the last ones, bounded in number and in bytes, and less where the server keeps much.
//! The texts are shared with whoever else has them.

use std::{collections::VecDeque, sync::Arc};

use super::super::{
    Text,
    notice::Frame,
    pool::{Held, Pool},
};

/// The last of the frames that were put in.
#[derive(Debug)]
pub(crate) struct Kept {
    frames: VecDeque<Arc<Held>>,
    bytes: usize,
    /// How many were there before the first one that is kept.
    gone: u64,
    most: usize,
    most_bytes: usize,
    pool: Pool,
    /// Bytes of the pool for the list itself.
    list: usize,
}

impl Kept {
    /// Nothing yet; at most so many frames and bytes later, and no more than the pool has for each.
    pub(crate) fn new(most: usize, most_bytes: usize, pool: &Pool) -> Self {
        Self { frames: VecDeque::new(), bytes: 0, gone: 0, most, most_bytes, pool: pool.clone(), list: 0 }
    }

    pub(crate) fn push(&mut self, frame: &Frame<'_>) {
        let held = frame.kept(&self.pool);
        self.bytes += held.text().len();
        self.frames.push_back(held);
        self.count_list();
        let most_bytes = self.most_bytes.min(self.pool.share());
        while self.frames.len() > self.most || self.bytes > most_bytes {
            self.forget();
        }
    }

    /// Whether all that followed on the first `received` frames is there.
    pub(crate) fn has_all_after(&self, received: u64) -> bool {
        let frames = u64::try_from(self.frames.len()).unwrap_or(u64::MAX);
        (self.gone..=self.gone.saturating_add(frames)).contains(&received)
    }

    /// Lets go of the first `received` frames and counts anew after them.
    pub(crate) fn begin_after(&mut self, received: u64) {
        while self.gone < received && !self.frames.is_empty() {
            self.forget();
        }
        self.gone = 0;
        self.frames.shrink_to_fit();
        self.count_list();
    }

    /// The last `count` of them, or all.
    pub(crate) fn last(&self, count: usize) -> impl Iterator<Item = &Text> {
        self.frames.iter().skip(self.frames.len().saturating_sub(count)).map(|held| held.text())
    }

    fn forget(&mut self) {
        if let Some(first) = self.frames.pop_front() {
            self.bytes -= first.text().len();
            self.gone += 1;
        }
    }

    fn count_list(&mut self) {
        let list = self.frames.capacity() * size_of::<Arc<Held>>();
        if list != self.list {
            self.pool.take(list);
            self.pool.give_back(std::mem::replace(&mut self.list, list));
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.pool.give_back(self.list);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::notice::Notice, *};

    fn push(kept: &mut Kept, text: impl Into<Text>) {
        kept.push(&Frame::new(Notice::Answer(text.into())));
    }

    fn kept(frames: std::ops::RangeInclusive<u32>) -> (Kept, Pool) {
        let pool = Pool::new(1 << 20);
        let mut kept = Kept::new(3, 100, &pool);
        frames.for_each(|n| push(&mut kept, n.to_string()));
        (kept, pool)
    }

    fn all(kept: &Kept) -> Vec<&str> {
        kept.last(usize::MAX).map(Text::as_str).collect()
    }

    #[test]
    fn keeps_the_last_ones_and_knows_what_is_gone() {
        let (mut kept, _) = kept(1..=5);
        assert_eq!(all(&kept), ["3", "4", "5"]);
        assert_eq!([1, 2, 5, 6].map(|received| kept.has_all_after(received)), [false, true, true, false]);
        kept.begin_after(4);
        assert_eq!(all(&kept), ["5"]);
        assert_eq!([0, 1, 2].map(|received| kept.has_all_after(received)), [true, true, false]);
    }

    #[test]
    fn is_bounded_in_bytes() {
        let (mut kept, _) = kept(1..=2);
        push(&mut kept, "x".repeat(99));
        assert_eq!(all(&kept), ["2", &"x".repeat(99)]);
        push(&mut kept, "x".repeat(101));
        assert!(all(&kept).is_empty() && kept.bytes == 0);
        assert_eq!([3, 4].map(|received| kept.has_all_after(received)), [false, true]);
    }

    #[test]
    fn keeps_less_where_much_is_kept_and_knows_what_is_gone() {
        let (mut kept, pool) = kept(1..=2);
        let others = (1 << 20) - pool.taken();
        pool.take(others);
        push(&mut kept, "3");
        assert!(all(&kept).is_empty());
        assert_eq!([2, 3, 4].map(|received| kept.has_all_after(received)), [false, true, false]);
        pool.give_back(others);
        push(&mut kept, "4");
        assert_eq!(all(&kept), ["4"]);
        assert_eq!([2, 3, 4].map(|received| kept.has_all_after(received)), [false, true, true]);
        drop(kept);
        assert_eq!(pool.taken(), 0);
    }
}
