//! The runtime that the library runs on: Tokio's, with four differences.
//!
//! - Its driver writes packets out before it reads events, so that what the last steps of a pass produce waits for the
//!   next wake-up, up to 200 ms later. Here the first two sleeps after each real one end at once: two more passes. Can go
//!   when the library writes out what a pass has produced before it sleeps.
//! - Its sockets get larger buffers. A burst that overflows the default costs a second for each packet lost. Can go when
//!   the library has a setting for it.
//! - Its sockets hold back repeated records of a DTLS handshake, which would stop the library's timer for good
//!   ([`handshake`]).
//! - What its sockets send waits for the end of a pass and then goes in as few system calls as it takes ([`outgoing`]), in
//!   measure when the other side's socket holds little ([`flow`]).
//!
//! It leans on how the pinned version works inside: the tests here fail when an upgrade makes it useless or harmful.

mod flow;
mod handshake;
mod outgoing;
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
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

pub(super) use self::flow::Flow;
use self::socket::{Socket, Watch};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Passes of the driver that follow each real sleep at once.
const PASSES: usize = 2;
/// The library's other sleeps, which are time limits: of a blocked send, and of a driver that is told to stop.
const TIME_LIMITS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(100)];

/// One for each connection.
#[derive(Debug)]
pub(super) struct KickRuntime {
    /// Asked of the kernel for each UDP socket, in each direction.
    socket_buffer: usize,
    tokio: TokioRuntime,
    passes: Arc<AtomicUsize>,
    watch: Arc<Watch>,
    flow: Arc<Flow>,
    /// Passes of the driver so far.
    #[cfg(test)]
    sleeps: AtomicUsize,
}

impl KickRuntime {
    /// Its UDP sockets ask for this many bytes.
    pub(super) fn new(socket_buffer: usize) -> Self {
        Self {
            socket_buffer,
            tokio: TokioRuntime,
            passes: Arc::default(),
            watch: Arc::default(),
            flow: Arc::default(),
            #[cfg(test)]
            sleeps: AtomicUsize::new(0),
        }
    }

    /// What the rest of the connection says to this.
    pub(super) fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.flow)
    }
}

/// A real sleep. When it ends, by time or because something else woke the driver, the next passes are due.
struct KickSleep {
    sleep: Boxed<'static, ()>,
    passes: Arc<AtomicUsize>,
    flow: Arc<Flow>,
    /// Until more may be sent.
    pace: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl KickSleep {
    /// Sends what waits, and wakes the driver when there is room for more of it.
    fn flush(&mut self, context: &mut Context<'_>) {
        while let Some(at) = self.flow.flush(context) {
            let mut pace = Box::pin(tokio::time::sleep_until(at.into()));
            if pace.as_mut().poll(context).is_pending() {
                self.pace = Some(pace);
                return;
            }
        }
        self.pace = None;
    }
}

impl Future for KickSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.flush(context);
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
        // The end of a pass: what can't go at once is the real sleep's matter.
        self.flow.flush(&mut Context::from_waker(Waker::noop()));
        #[cfg(test)]
        self.sleeps.fetch_add(1, Ordering::Relaxed);
        if self.passes.fetch_add(1, Ordering::Relaxed) < PASSES {
            return Box::pin(std::future::ready(()));
        }
        let (passes, flow) = (Arc::clone(&self.passes), Arc::clone(&self.flow));
        Box::pin(KickSleep { sleep: self.tokio.sleep(duration), passes, flow, pace: None })
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let buffers = socket2::SockRef::from(&socket);
        // What the kernel does not grant is fine: the receive window was chosen by what it grants.
        let _ = buffers.set_recv_buffer_size(self.socket_buffer);
        let _ = buffers.set_send_buffer_size(self.socket_buffer);
        let socket = Arc::new(Socket::new(self.tokio.wrap_udp_socket(socket)?, Arc::clone(&self.watch)));
        self.flow.add(Arc::downgrade(&socket));
        Ok(socket)
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
