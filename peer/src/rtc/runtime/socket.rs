//! A UDP socket whose DTLS handshake is watched, whose data goes out in runs, and that can be kicked.

#[cfg(test)]
mod tests;

use std::{
    io::{self, IoSliceMut},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Instant,
};

use futures_util::task::AtomicWaker;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

use super::{
    handshake::{Handshake, UNHEARD_RECORD},
    outgoing::{Outgoing, Pacer},
};
use crate::limits::{TWICE, WAITING_BYTES};

/// The first byte of a DTLS record with data, of one with an alert, and of those of a handshake.
const APPLICATION_DATA: u8 = 23;
const ALERT: u8 = 21;
const HANDSHAKE: [u8; 2] = [20, 22];
/// Nobody's address: neither the library's STUN nor its TURN client takes what comes from there.
const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// The handshake of a connection, shared by its sockets.
#[derive(Debug, Default)]
pub(super) struct Watch {
    is_over: AtomicBool,
    handshake: Mutex<Handshake>,
}

impl Watch {
    /// Shows each datagram to the handshake, until that is over.
    fn pass<T>(&self, datagrams: impl Iterator<Item = T>, step: impl Fn(&mut Handshake, T)) {
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        let mut handshake = self.handshake.lock().unwrap_or_else(PoisonError::into_inner);
        datagrams.for_each(|datagram| step(&mut handshake, datagram));
        self.is_over.store(handshake.is_over(), Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Waiting {
    outgoing: Outgoing,
    pacer: Pacer,
}

#[derive(Debug)]
pub(super) struct Socket {
    inner: Arc<dyn AsyncUdpSocket>,
    watch: Arc<Watch>,
    waiting: Mutex<Waiting>,
    /// Datagrams with data that may still go twice; while there are any, so does the handshake.
    twice: AtomicUsize,
    kicked: AtomicBool,
    receiver: AtomicWaker,
}

impl Socket {
    pub(super) fn new(inner: Arc<dyn AsyncUdpSocket>, watch: Arc<Watch>) -> Self {
        Self {
            inner,
            watch,
            waiting: Mutex::default(),
            twice: AtomicUsize::new(0),
            kicked: AtomicBool::new(false),
            receiver: AtomicWaker::new(),
        }
    }

    /// A datagram that means nothing is received.
    pub(super) fn kick(&self) {
        self.kicked.store(true, Ordering::Release);
        self.receiver.wake();
    }

    /// From now on the handshake goes twice, and so do the first datagrams with data, which begin the association: the library
    /// repeats what was lost of them after a second at the earliest.
    pub(super) fn repeat(&self) {
        self.twice.store(TWICE, Ordering::Relaxed);
    }

    fn goes_twice(&self) -> bool {
        self.twice.load(Ordering::Relaxed) > 0
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what waits, no more than so many bytes a millisecond unless that is zero. When to go on, if it is that.
    pub(super) fn flush(&self, context: &mut Context<'_>, per_ms: usize) -> Option<Instant> {
        let mut waiting = self.waiting();
        let Waiting { outgoing, pacer } = &mut *waiting;
        while let Some(run) = outgoing.next() {
            if per_ms > 0
                && let Err(at) = pacer.due(Instant::now())
            {
                return Some(at);
            }
            let bytes = run.contents.len();
            // What can't be sent is lost, as it may be at any place behind.
            if self.inner.poll_send(context, &run).is_pending() {
                return None;
            }
            if per_ms > 0 {
                pacer.sent(Instant::now(), bytes, per_ms);
            }
            outgoing.pop();
        }
        None
    }
}

/// What the last pass of a driver has sent waits still.
impl Drop for Socket {
    fn drop(&mut self) {
        self.flush(&mut Context::from_waker(Waker::noop()), 0);
    }
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Data waits for the end of the driver's pass, the rest goes at once.
    fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = match transmit.contents.first() {
            Some(&APPLICATION_DATA) => {
                if self.waiting().outgoing.bytes() > WAITING_BYTES {
                    self.flush(context, 0);
                }
                let mut waiting = self.waiting();
                if waiting.outgoing.bytes() > WAITING_BYTES {
                    return Poll::Pending;
                }
                waiting.outgoing.push(transmit, self.inner.max_gso_segments());
                if self.goes_twice() {
                    self.twice.fetch_sub(1, Ordering::Relaxed);
                    waiting.outgoing.push(transmit, self.inner.max_gso_segments());
                }
                Poll::Ready(Ok(transmit.contents.len()))
            }
            first => {
                // The end of a connection comes after its data.
                if first == Some(&ALERT) {
                    self.flush(context, 0);
                }
                let sent = self.inner.poll_send(context, transmit);
                if self.goes_twice() && sent.is_ready() && first.is_some_and(|first| HANDSHAKE.contains(first)) {
                    // One that can't be sent is as good as lost.
                    let _ = self.inner.poll_send(context, transmit);
                }
                sent
            }
        };
        if let Poll::Ready(Ok(_)) = sent {
            let size = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
            self.watch.pass(transmit.contents.chunks(size), Handshake::sends);
        }
        sent
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.receiver.register(context.waker());
        if self.kicked.swap(false, Ordering::AcqRel) {
            bufs[0][..UNHEARD_RECORD.len()].copy_from_slice(&UNHEARD_RECORD);
            meta[0] = RecvMeta::default();
            (meta[0].addr, meta[0].len, meta[0].stride) = (NOBODY, UNHEARD_RECORD.len(), UNHEARD_RECORD.len());
            return Poll::Ready(Ok(1));
        }
        let received = self.inner.poll_recv(context, bufs, meta);
        if let Poll::Ready(Ok(count)) = received {
            let messages = bufs.iter_mut().zip(meta).take(count);
            let datagrams = messages.flat_map(|(buf, meta)| buf[..meta.len].chunks_mut(meta.stride));
            self.watch.pass(datagrams, Handshake::receives);
        }
        received
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}
