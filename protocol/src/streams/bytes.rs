//! Bytes in the order in which they came, to take from the front.

use std::collections::VecDeque;

use super::limits::PIECE_BYTES;

#[derive(Debug, Default)]
pub(super) struct Bytes(VecDeque<u8>);

impl Bytes {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// So many of them from this one on, as far as there are any.
    pub(super) fn copy(&self, begin: usize, count: usize) -> Vec<u8> {
        let end = (begin + count).min(self.len());
        let (front, back) = self.0.as_slices();
        let part =
            |bytes: &[u8], begin: usize, end: usize| bytes[begin.min(bytes.len())..end.min(bytes.len())].to_vec();
        let mut copied = part(front, begin, end);
        copied.extend(part(back, begin.saturating_sub(front.len()), end.saturating_sub(front.len())));
        copied
    }

    /// Drops the first ones. What is empty keeps little memory.
    pub(super) fn skip(&mut self, count: usize) {
        self.0.drain(..count.min(self.0.len()));
        if self.0.is_empty() {
            self.0.shrink_to(PIECE_BYTES);
        }
    }

    /// The first ones.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        let taken = self.copy(0, count);
        self.skip(count);
        taken
    }
}
