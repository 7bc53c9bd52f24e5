//! The runtime that the library runs on: Tokio's, with three differences.
//!
//! - Its driver writes packets out before it reads events, so that what the last steps of a pass produce waits for the
//!   next wake-up, up to 200 ms later. Here the first two sleeps after each real one end at once: two more passes.
//! - Its sockets get larger buffers. A burst that overflows the default costs a second for each packet lost.
//! - Its sockets hold back repeated records of a DTLS handshake, which would stop the library's timer for good.
//!
//! It leans on how the pinned version works inside: the tests here fail when an upgrade makes it useless or harmful.

mod handshake;
mod socket;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

use self::socket::{Socket, Watch};
use crate::limits::SOCKET_BUFFER_BYTES;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Passes of the driver that follow each real sleep at once.
const PASSES: usize = 2;
/// The library's other sleeps, which are time limits: of a blocked send, and of a driver that is told to stop.
const TIME_LIMITS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(100)];

/// One for each connection.
#[derive(Debug)]
pub(super) struct KickRuntime {
    tokio: TokioRuntime,
    passes: Arc<AtomicUsize>,
    watch: Arc<Watch>,
    /// Passes of the driver so far.
    #[cfg(test)]
    sleeps: AtomicUsize,
}

impl KickRuntime {
    pub(super) fn new() -> Self {
        Self {
            tokio: TokioRuntime,
            passes: Arc::default(),
            watch: Arc::default(),
            #[cfg(test)]
            sleeps: AtomicUsize::new(0),
        }
    }
}

/// A real sleep. When it ends, by time or because something else woke the driver, the next passes are due.
struct KickSleep {
    sleep: Boxed<'static, ()>,
    passes: Arc<AtomicUsize>,
}

impl Future for KickSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(context)
    }
}

impl Drop for KickSleep {
    fn drop(&mut self) {
        self.passes.store(0, Ordering::Relaxed);
    }
}

impl Runtime for KickRuntime {
    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        if TIME_LIMITS.contains(&duration) {
            return self.tokio.sleep(duration);
        }
        #[cfg(test)]
        self.sleeps.fetch_add(1, Ordering::Relaxed);
        if self.passes.fetch_add(1, Ordering::Relaxed) < PASSES {
            return Box::pin(std::future::ready(()));
        }
        Box::pin(KickSleep { sleep: self.tokio.sleep(duration), passes: Arc::clone(&self.passes) })
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let buffers = socket2::SockRef::from(&socket);
        // What the kernel does not grant is fine: the receive window was chosen by what it grants.
        let _ = buffers.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
        let _ = buffers.set_send_buffer_size(SOCKET_BUFFER_BYTES);
        let inner = self.tokio.wrap_udp_socket(socket)?;
        Ok(Arc::new(Socket { inner, watch: Arc::clone(&self.watch) }))
    }

    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.tokio.spawn(future)
    }

    fn spawn_reactor(&self, pool: usize, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.tokio.spawn_reactor(pool, future)
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.tokio.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(&'a self, remote: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.tokio.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        self.tokio.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.tokio.now()
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.tokio.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        self.tokio.yield_now()
    }

    fn name(&self) -> &'static str {
        "grtc"
    }
}
