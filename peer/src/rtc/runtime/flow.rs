//! What the rest of a connection says to its sockets, and through them to the driver that the library runs for it.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::Context,
    time::Instant,
};

use super::socket::Socket;

/// One for each connection.
#[derive(Debug, Default)]
pub(in crate::rtc) struct Flow {
    /// Bytes a millisecond that go out at most; zero when it does not matter.
    pace: AtomicUsize,
    sockets: Mutex<Vec<Weak<Socket>>>,
}

impl Flow {
    /// Makes the driver look once more for messages that it has held back.
    ///
    /// It holds them back when a queue of 256 is full, at two places, and looks again at neither before the next datagram
    /// comes, half a second later when the other side has said all: having found room for what it retained, it sleeps
    /// without a look at what waits below; and what the association itself holds is taken up while a datagram is read only.
    /// So who has emptied such a queue has to say so, and a datagram that means nothing is read. Can go when the library
    /// does both before it sleeps.
    pub(in crate::rtc) fn kick(&self) {
        if let Some(socket) = self.sockets().iter().rev().find_map(Weak::upgrade) {
            socket.kick();
        }
    }

    /// From now on so many bytes a millisecond go out at most; zero is as many as there are.
    pub(in crate::rtc) fn pace(&self, bytes_per_ms: usize) {
        self.pace.store(bytes_per_ms, Ordering::Relaxed);
    }

    /// The other side takes what begins the connection twice, so that less of it is lost.
    pub(in crate::rtc) fn repeat(&self) {
        self.sockets().iter().filter_map(Weak::upgrade).for_each(|socket| socket.repeat());
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<Weak<Socket>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, socket: Weak<Socket>) {
        let mut sockets = self.sockets();
        sockets.retain(|socket| socket.strong_count() > 0);
        sockets.push(socket);
    }

    /// Sends what waits, as far as the sockets and the pace allow: when to go on, if it is the pace that does not.
    pub(super) fn flush(&self, context: &mut Context<'_>) -> Option<Instant> {
        let per_ms = self.pace.load(Ordering::Relaxed);
        let sockets = self.sockets();
        sockets.iter().filter_map(Weak::upgrade).filter_map(|socket| socket.flush(context, per_ms)).min()
    }
}
