//! The relay's socket: what comes together is taken together, and what goes to one client goes together.

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
};

use anyhow::Context;
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket};
use tracing::debug;

use super::table::Client;

/// Buffers that are filled at once, and what each holds: what the kernel puts together, or the largest datagram.
const BUFFERS: usize = 8;
const BUFFER: usize = 64 * 1024;
/// What the kernel may hold for us, each way, where it lets us have so much.
const KERNEL_BYTES: usize = 4 << 20;
/// Bytes that go out together.
const TOGETHER: usize = 60_000;

/// The port, for whoever has something to send.
pub(crate) struct Socket {
    socket: UdpSocket,
    state: UdpSocketState,
}

/// What has come together.
pub(super) struct Received {
    bytes: Vec<u8>,
    metas: [RecvMeta; BUFFERS],
    count: usize,
}

/// Datagrams of one size that are about to go to one client.
struct Together<'a> {
    socket: &'a Socket,
    waiting: Option<(Client, usize)>,
    bytes: Vec<u8>,
}

impl Socket {
    /// Takes the port.
    ///
    /// # Errors
    /// When somebody else has it.
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = UdpSocket::bind(address).await.with_context(|| {
            format!(
                "can't take datagrams on {address}, which --turn does: --listen or --turn-listen takes another port"
            )
        })?;
        let state = UdpSocketState::new((&socket).into()).context("the socket for datagrams can't be set up")?;
        let larger = state.set_recv_buffer_size((&socket).into(), KERNEL_BYTES);
        if let Err(error) = larger.and(state.set_send_buffer_size((&socket).into(), KERNEL_BYTES)) {
            debug!(%error, "the kernel holds no more datagrams than by default");
        }
        Ok(Self { socket, state })
    }

    /// Waits until something has come, or seems to have.
    pub(super) async fn readable(&self) {
        // What fails here fails again at the next reading.
        let _ = self.socket.readable().await;
    }

    /// Takes what has come.
    pub(super) fn receive(&self, received: &mut Received) {
        let Self { socket, state } = self;
        let Received { bytes, metas, count } = received;
        let mut slices: Vec<_> = bytes.chunks_mut(BUFFER).map(IoSliceMut::new).collect();
        *count = match socket.try_io(Interest::READABLE, || state.recv(socket.into(), &mut slices, metas)) {
            Ok(count) => count,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    debug!(%error, "no datagram can be taken");
                }
                0
            }
        };
    }

    /// Sends what is for clients by UDP. What the kernel has no room for is lost, as datagrams are.
    pub(super) fn send(&self, datagrams: &[(Client, Vec<u8>)]) {
        let mut together = Together { socket: self, waiting: None, bytes: Vec::new() };
        for (client, datagram) in datagrams {
            together.put(*client, datagram);
        }
        together.flush();
    }
}

impl Received {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; BUFFERS * BUFFER], metas: [RecvMeta::default(); BUFFERS], count: 0 }
    }

    /// Each datagram, and whom it is from.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (Client, &[u8])> {
        self.metas.iter().zip(self.bytes.chunks(BUFFER)).take(self.count).flat_map(|(meta, buffer)| {
            let client = Client::Udp(meta.addr, meta.dst_ip);
            buffer[..meta.len].chunks(meta.stride.max(1)).map(move |datagram| (client, datagram))
        })
    }
}

impl Together<'_> {
    /// A datagram for this client, which waits for others that can go with it.
    fn put(&mut self, client: Client, datagram: &[u8]) {
        let most = TOGETHER.min(self.socket.state.max_gso_segments().saturating_mul(datagram.len()));
        if self.waiting != Some((client, datagram.len())) || self.bytes.len() + datagram.len() > most {
            self.flush();
            self.waiting = Some((client, datagram.len()));
        }
        self.bytes.extend_from_slice(datagram);
    }

    fn flush(&mut self) {
        let Some((Client::Udp(destination, src_ip), size)) = self.waiting.take() else { return };
        let Socket { socket, state } = self.socket;
        let transmit = Transmit { destination, ecn: None, contents: &self.bytes, segment_size: Some(size), src_ip };
        if let Err(error) = socket.try_io(Interest::WRITABLE, || state.try_send(socket.into(), &transmit)) {
            debug!(%error, "a datagram is lost");
        }
        self.bytes.clear();
    }
}
