//! How long a message to the other side may be, and how much may be under way to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{runtime::Flow, sizes::Sizes};
use crate::limits::{MESSAGE_BYTES, PATIENT_SOCKET_BYTES, SEND_BUFFER_BYTES, UNSAID_SOCKET_BYTES, WINDOW_BYTES_PER_MS};

/// One for each connection.
///
/// What is under way may all wait in the other side's UDP socket at once, when its process has to wait for a processor: it
/// has to fit there, or each datagram that does not costs up to a second. Where the path is long, most of it is on the path.
#[derive(Debug)]
pub(super) struct Window {
    flow: Arc<Flow>,
    longest: AtomicUsize,
    /// What the other side's socket holds.
    socket: AtomicUsize,
    /// The shortest round trip that was measured, in microseconds: a longer one is somebody who has to wait.
    path: AtomicU64,
    /// What may be under way.
    bytes: AtomicUsize,
}

impl Window {
    pub(super) fn new(flow: Arc<Flow>) -> Self {
        Self {
            flow,
            longest: AtomicUsize::new(MESSAGE_BYTES),
            socket: AtomicUsize::new(UNSAID_SOCKET_BYTES),
            path: AtomicU64::new(0),
            bytes: AtomicUsize::new(under_way(UNSAID_SOCKET_BYTES, 0)),
        }
    }

    /// The other side has said what it takes.
    pub(super) fn announced(&self, sizes: Sizes) {
        self.longest.store(sizes.message, Ordering::Relaxed);
        self.socket.store(sizes.socket, Ordering::Relaxed);
        self.path.store(u64::MAX, Ordering::Relaxed);
        self.bytes.store(under_way(sizes.socket, 0), Ordering::Relaxed);
    }

    /// A packet went there and back in this time.
    pub(super) fn round_trip(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let path = self.path.fetch_min(micros, Ordering::Relaxed).min(micros);
        self.bytes.store(under_way(self.socket.load(Ordering::Relaxed), path), Ordering::Relaxed);
    }

    /// The longest message that the other side takes.
    pub(super) fn longest(&self) -> usize {
        self.longest.load(Ordering::Relaxed)
    }

    /// With this much under way there is room again: a sender that is woken for each datagram does little else.
    pub(super) fn low(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) / 4 * 3
    }

    /// Whether it depends on the round trip.
    pub(super) fn follows_the_path(&self) -> bool {
        under_way(self.socket.load(Ordering::Relaxed), 0) < SEND_BUFFER_BYTES
    }

    /// Whether a message may go while this much is under way. One that is longer than the window goes all the same, but
    /// measuredly if need be.
    pub(super) fn admits(&self, outstanding: usize, length: usize) -> bool {
        let bytes = self.bytes.load(Ordering::Relaxed);
        if outstanding > self.low() && outstanding + length > bytes {
            return false;
        }
        let socket = self.socket.load(Ordering::Relaxed);
        let measured = outstanding + length > bytes && socket < PATIENT_SOCKET_BYTES;
        self.flow.pace(if measured { socket / 4 } else { 0 });
        true
    }
}

/// What may be under way to a socket that holds so much, at a round trip of so many microseconds.
fn under_way(socket: usize, path: u64) -> usize {
    let on_the_path = usize::try_from(path).unwrap_or(usize::MAX).saturating_mul(WINDOW_BYTES_PER_MS) / 1_000;
    (socket / 4 * 3).saturating_add(on_the_path).min(SEND_BUFFER_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(message: usize, socket: usize) -> Window {
        let window = Window::new(Arc::default());
        window.announced(Sizes { message, socket });
        window
    }

    #[test]
    fn what_is_under_way_fits_the_socket_or_is_on_the_path() {
        assert_eq!(under_way(4 << 20, 0), SEND_BUFFER_BYTES);
        assert_eq!(under_way(212_992, 0), 159_744);
        assert_eq!(under_way(212_992, 50_000), SEND_BUFFER_BYTES);
        assert_eq!(under_way(UNSAID_SOCKET_BYTES, 0), 49_152);
        assert_eq!(under_way(UNSAID_SOCKET_BYTES, 1_000), 49_152 + 32_768);
        assert_eq!(under_way(UNSAID_SOCKET_BYTES, 20_000), SEND_BUFFER_BYTES);
        assert_eq!(under_way(usize::MAX, u64::MAX), SEND_BUFFER_BYTES);
    }

    #[test]
    fn a_process_that_has_to_wait_does_not_make_the_path_longer() {
        let window = window(MESSAGE_BYTES, UNSAID_SOCKET_BYTES);
        for (micros, low) in [(2_000, 86_016), (500, 49_152), (9_000, 49_152)] {
            window.round_trip(Duration::from_micros(micros));
            assert_eq!(window.low(), low, "{micros} us");
        }
    }

    #[test]
    fn a_window_fills_up_and_then_waits_for_a_quarter_of_it() {
        let window = window(MESSAGE_BYTES, UNSAID_SOCKET_BYTES);
        let all = under_way(UNSAID_SOCKET_BYTES, 0);
        assert!(window.admits(0, 16_384) && window.admits(all - 16_384, 16_384));
        assert!(!window.admits(all / 4 * 3 + 1, 16_384));
        assert!(window.admits(all / 4 * 3, all));
    }
}
