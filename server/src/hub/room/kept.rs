//! Frames that are kept for somebody: the last ones, bounded in number and in bytes. The texts are shared with whoever
//! else has them.

use std::collections::VecDeque;

use super::super::Text;

/// The last of the frames that were put in.
#[derive(Debug)]
pub(crate) struct Kept {
    frames: VecDeque<Text>,
    bytes: usize,
    /// How many were there before the first one that is kept.
    gone: u64,
    most: usize,
    most_bytes: usize,
}

impl Kept {
    /// Nothing yet; at most so many frames and bytes later.
    pub(crate) fn new(most: usize, most_bytes: usize) -> Self {
        Self { frames: VecDeque::new(), bytes: 0, gone: 0, most, most_bytes }
    }

    pub(crate) fn push(&mut self, frame: Text) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
        while self.frames.len() > self.most || self.bytes > self.most_bytes {
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
    }

    /// The last `count` of them, or all.
    pub(crate) fn last(&self, count: usize) -> impl Iterator<Item = &Text> {
        self.frames.iter().skip(self.frames.len().saturating_sub(count))
    }

    fn forget(&mut self) {
        if let Some(first) = self.frames.pop_front() {
            self.bytes -= first.len();
            self.gone += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(frames: std::ops::RangeInclusive<u32>) -> Kept {
        let mut kept = Kept::new(3, 100);
        frames.for_each(|n| kept.push(n.to_string().into()));
        kept
    }

    fn all(kept: &Kept) -> Vec<&str> {
        kept.last(usize::MAX).map(Text::as_str).collect()
    }

    #[test]
    fn keeps_the_last_ones_and_knows_what_is_gone() {
        let mut kept = kept(1..=5);
        assert_eq!(all(&kept), ["3", "4", "5"]);
        assert_eq!([1, 2, 5, 6].map(|received| kept.has_all_after(received)), [false, true, true, false]);
        kept.begin_after(4);
        assert_eq!(all(&kept), ["5"]);
        assert_eq!([0, 1, 2].map(|received| kept.has_all_after(received)), [true, true, false]);
    }

    #[test]
    fn is_bounded_in_bytes() {
        let mut kept = kept(1..=2);
        kept.push("x".repeat(99).into());
        assert_eq!(all(&kept), ["2", &"x".repeat(99)]);
        kept.push("x".repeat(101).into());
        assert!(all(&kept).is_empty() && kept.bytes == 0);
        assert_eq!([3, 4].map(|received| kept.has_all_after(received)), [false, true]);
    }
}
