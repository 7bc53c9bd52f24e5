//! What waits for a client by stream, as it goes out.

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Bytes of data that wait at most. What comes then is lost, as datagrams are: who sends them notices, and sends less.
const DATA: usize = 256 * 1024;
/// Bytes that wait at most with the answers among them, of which none is lost.
const ALL: usize = DATA + 64 * 1024;

/// Frames in their order, each padded (RFC 8656, section 12.5).
#[derive(Debug, Default)]
pub(super) struct Outlet {
    waiting: Mutex<Vec<u8>>,
    more: Notify,
}

impl Outlet {
    /// Data, if there is room for it.
    pub(super) fn data(&self, frame: &[u8]) -> bool {
        self.put(frame, DATA)
    }

    /// An answer. Without room for it, the client asks for more than it hears.
    pub(super) fn answer(&self, frame: &[u8]) -> bool {
        self.put(frame, ALL)
    }

    fn put(&self, frame: &[u8], most: usize) -> bool {
        let mut waiting = self.waiting.lock();
        let length = (waiting.len() + frame.len()).next_multiple_of(4);
        if length > most {
            return false;
        }
        waiting.extend_from_slice(frame);
        waiting.resize(length, 0);
        drop(waiting);
        self.more.notify_one();
        true
    }

    /// All that waits, once there is something. `used` is what was given before: nothing is held while nothing waits.
    pub(super) async fn next(&self, mut used: Vec<u8>) -> Vec<u8> {
        loop {
            used.clear();
            std::mem::swap(&mut used, &mut self.waiting.lock());
            if !used.is_empty() {
                return used;
            }
            used = Vec::new();
            self.more.notified().await;
        }
    }

    /// All that waits now.
    pub(super) fn rest(&self) -> Vec<u8> {
        std::mem::take(&mut self.waiting.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_padded_and_together() {
        let outlet = Outlet::default();
        assert!(outlet.data(b"\x40\0\0\x01x") && outlet.answer(b"\0\x01\0\0"));
        assert_eq!(outlet.next(vec![7; 9]).await, b"\x40\0\0\x01x\0\0\0\0\x01\0\0");
        assert!(outlet.data(b"more"));
        assert_eq!(outlet.rest(), b"more");
    }

    #[test]
    fn data_is_lost_where_answers_still_have_room() {
        let (outlet, frame) = (Outlet::default(), vec![0; 1_000]);
        assert_eq!((0..1_000).filter(|_| outlet.data(&frame)).count(), DATA / 1_000);
        assert_eq!((0..1_000).filter(|_| outlet.answer(&frame)).count(), ALL / 1_000 - DATA / 1_000);
        assert_eq!(outlet.rest().len(), ALL / 1_000 * 1_000);
        assert!(outlet.data(&frame));
    }
}
