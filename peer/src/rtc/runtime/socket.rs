//! A UDP socket whose DTLS handshake is watched.

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

use super::handshake::Handshake;

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

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) inner: Arc<dyn AsyncUdpSocket>,
    pub(super) watch: Arc<Watch>,
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = self.inner.poll_send(context, transmit);
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
