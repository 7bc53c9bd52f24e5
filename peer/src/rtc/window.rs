//! How long a message to the other side may be, and how much may be under way to it at most: how much is, follows the path
//! ([`follow`]).

mod follow;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub(super) use self::follow::{Follow, Look};
use super::{network, runtime::Flow, sizes::Sizes};
use crate::limits::{
    FREED_BYTES, MESSAGE_BYTES, PATIENT_SOCKET_BYTES, SEND_BUFFER_BYTES, UNSAID_SOCKET_BYTES, WINDOW_BYTES_PER_MS,
};

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
    /// What may be under way at most.
    most: AtomicUsize,
}

impl Window {
    pub(super) fn new(flow: Arc<Flow>) -> Self {
        Self {
            flow,
            longest: AtomicUsize::new(MESSAGE_BYTES),
            socket: AtomicUsize::new(UNSAID_SOCKET_BYTES),
            path: AtomicU64::new(0),
            most: AtomicUsize::new(under_way(UNSAID_SOCKET_BYTES, 0)),
        }
    }

    /// The other side has said what it takes.
    pub(super) fn announced(&self, sizes: Sizes) {
        self.longest.store(sizes.message, Ordering::Relaxed);
        self.socket.store(sizes.socket, Ordering::Relaxed);
        self.path.store(u64::MAX, Ordering::Relaxed);
        self.most.store(under_way(sizes.socket, 0), Ordering::Relaxed);
    }

    /// A packet went there and back in this time.
    pub(super) fn round_trip(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let path = self.path.fetch_min(micros, Ordering::Relaxed).min(micros);
        self.most.store(under_way(self.socket.load(Ordering::Relaxed), path), Ordering::Relaxed);
    }

    /// The longest message that the other side takes.
    pub(super) fn longest(&self) -> usize {
        self.longest.load(Ordering::Relaxed)
    }

    /// What may be under way at most.
    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Whether it depends on the round trip.
    pub(super) fn follows_the_path(&self) -> bool {
        let socket = self.socket.load(Ordering::Relaxed);
        under_way(socket, 0) < most(socket)
    }

    /// Whether a message may go while this much is under way of what may be. One that is longer than the window goes all the
    /// same, but measuredly if need be.
    pub(super) fn admits(&self, bytes: usize, outstanding: usize, length: usize) -> bool {
        if outstanding > low(bytes) && outstanding + length > bytes {
            return false;
        }
        let socket = self.socket.load(Ordering::Relaxed);
        let measured = outstanding + length > bytes && socket < PATIENT_SOCKET_BYTES;
        self.flow.pace(if measured { socket / 4 } else { 0 });
        true
    }
}

/// With this much under way of what may be there is room again: a sender that is woken for each datagram does little else.
pub(super) fn low(bytes: usize) -> usize {
    bytes - (bytes / 4).min(FREED_BYTES)
}

/// What may be under way at most to a socket that holds so much, on a path of any length: its association takes no more.
fn most(socket: usize) -> usize {
    match socket < PATIENT_SOCKET_BYTES {
        true => SEND_BUFFER_BYTES,
        false => network::receive_window(socket) as usize,
    }
}

/// What may be under way to a socket that holds so much, at a round trip of so many microseconds.
fn under_way(socket: usize, path: u64) -> usize {
    let on_the_path = usize::try_from(path).unwrap_or(usize::MAX).saturating_mul(WINDOW_BYTES_PER_MS) / 1_000;
    (socket / 4 * 3).saturating_add(on_the_path).min(most(socket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LARGE_RECEIVE_WINDOW_BYTES;

    fn window(message: usize, socket: usize) -> Window {
        let window = Window::new(Arc::default());
        window.announced(Sizes { message, socket });
        window
    }

    #[test]
    fn what_is_under_way_fits_the_socket_or_is_on_the_path() {
        assert_eq!(under_way(4 << 20, 0), 3 << 20);
        assert_eq!(under_way(4 << 20, 50_000), LARGE_RECEIVE_WINDOW_BYTES as usize);
        assert_eq!(under_way(1 << 20, 0), 768 << 10);
        assert_eq!(under_way(1 << 20, 50_000), 1 << 20);
        assert_eq!(under_way(212_992, 0), 159_744);
        assert_eq!(under_way(212_992, 50_000), SEND_BUFFER_BYTES);
        assert_eq!(under_way(UNSAID_SOCKET_BYTES, 0), 49_152);
        assert_eq!(under_way(UNSAID_SOCKET_BYTES, 1_000), 49_152 + 32_768);
        assert_eq!(under_way(UNSAID_SOCKET_BYTES, 20_000), SEND_BUFFER_BYTES);
        assert_eq!(under_way(usize::MAX, u64::MAX), LARGE_RECEIVE_WINDOW_BYTES as usize);
    }

    #[test]
    fn a_process_that_has_to_wait_does_not_make_the_path_longer() {
        let window = window(MESSAGE_BYTES, UNSAID_SOCKET_BYTES);
        for (micros, most) in [(2_000, 49_152 + 65_536), (500, 49_152 + 16_384), (9_000, 49_152 + 16_384)] {
            window.round_trip(Duration::from_micros(micros));
            assert_eq!(window.most(), most, "{micros} us");
        }
    }

    #[test]
    fn a_window_fills_up_and_then_waits_for_a_part_of_it() {
        let window = window(MESSAGE_BYTES, UNSAID_SOCKET_BYTES);
        for (all, low) in [(window.most(), 36_864), (4 << 20, (4 << 20) - FREED_BYTES)] {
            assert!(window.admits(all, 0, 16_384) && window.admits(all, all - 16_384, 16_384));
            assert!(!window.admits(all, low + 1, all - low));
            assert!(window.admits(all, low, all));
        }
    }
}
