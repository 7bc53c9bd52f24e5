//! The relay's socket: what comes together is taken together, and what goes to one client goes together.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use jiff::Timestamp;
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use tokio::{
    io::Interest,
    net::UdpSocket,
    select,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::table::{Client, Moment, Out, Refusal, Settings, Table};
use crate::{
    limits::Limit,
    metrics::{Direction, Metrics},
};

/// Buffers that are filled at once, and what each holds: what the kernel puts together, or the largest datagram.
const BUFFERS: usize = 8;
const BUFFER: usize = 64 * 1024;
/// What the kernel may hold for us, each way, where it lets us have so much.
const KERNEL_BYTES: usize = 4 << 20;
/// Bytes that go out together.
const TOGETHER: usize = 60_000;
/// How often it is looked what is over.
const LOOK: Duration = Duration::from_secs(1);

/// A relay by UDP.
pub(crate) struct Relay {
    port: Port,
    table: Table,
    metrics: Arc<Metrics>,
    started: Instant,
}

/// The socket, and what is about to go out.
struct Port {
    socket: UdpSocket,
    state: UdpSocketState,
    /// Datagrams of one size for one client.
    waiting: Option<(Client, usize)>,
    bytes: Vec<u8>,
}

impl Relay {
    /// For what comes by this socket.
    ///
    /// # Errors
    /// When the system can't do with it what this takes.
    pub(crate) fn new(socket: UdpSocket, settings: Settings, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        let state = UdpSocketState::new((&socket).into()).context("the socket for datagrams can't be set up")?;
        let larger = state.set_recv_buffer_size((&socket).into(), KERNEL_BYTES);
        if let Err(error) = larger.and(state.set_send_buffer_size((&socket).into(), KERNEL_BYTES)) {
            debug!(%error, "the kernel holds no more datagrams than by default");
        }
        let port = Port { socket, state, waiting: None, bytes: Vec::new() };
        Ok(Self { port, table: Table::new(settings), metrics, started: Instant::now() })
    }

    /// Relays until `stop`, and then for those alone who are in it, as long as there are any.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut buffers = vec![0; BUFFERS * BUFFER];
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_closed = false;
        while !is_closed || self.table.allocations() > 0 {
            select! {
                _ = self.port.socket.readable() => self.receive(&mut buffers),
                _ = looks.tick() => self.look(),
                () = stop.cancelled(), if !is_closed => {
                    self.table.close();
                    is_closed = true;
                }
            }
        }
        self.look();
    }

    fn now(&self) -> Moment {
        let unix = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        Moment { at: self.started.elapsed(), unix }
    }

    /// Takes what has come, and sends what comes of it.
    fn receive(&mut self, buffers: &mut [u8]) {
        let mut metas = [RecvMeta::default(); BUFFERS];
        let received = {
            let Port { socket, state, .. } = &self.port;
            let mut slices: Vec<_> = buffers.chunks_mut(BUFFER).map(IoSliceMut::new).collect();
            socket.try_io(Interest::READABLE, || state.recv(socket.into(), &mut slices, &mut metas))
        };
        let count = match received {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => return debug!(%error, "no datagram can be taken"),
        };
        let now = self.now();
        for (meta, buffer) in metas.iter().zip(buffers.chunks(BUFFER)).take(count) {
            let client = Client::Udp(meta.addr, meta.dst_ip);
            for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                match self.table.input(client, datagram, now) {
                    Out::Reply(bytes) => self.port.put(client, &bytes),
                    Out::Deliver(client, bytes) => self.port.put(client, &bytes),
                    Out::Nothing => {}
                }
            }
        }
        self.port.flush();
    }

    /// Forgets what is over, and tells what was counted.
    fn look(&mut self) {
        self.table.expire(self.started.elapsed());
        let (stats, metrics) = (self.table.stats(), &self.metrics);
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        metrics.turn_allocations.set(i64::try_from(self.table.allocations()).unwrap_or(i64::MAX));
        metrics.turn_bytes.add(Direction::In, count(stats.bytes_in));
        metrics.turn_bytes.add(Direction::Out, count(stats.bytes_out));
        for refusal in Refusal::ALL {
            let refused = count(stats.refused(refusal));
            metrics.turn_refused.add(refusal, refused);
            if let Some(limit) = limit(refusal) {
                metrics.limited.add(limit, refused);
            }
        }
    }
}

/// The limit that is behind it.
fn limit(refusal: Refusal) -> Option<Limit> {
    match refusal {
        Refusal::Quota => Some(Limit::TurnAllocationsPerPeer),
        Refusal::Capacity => Some(Limit::TurnAllocations),
        Refusal::Rate => Some(Limit::TurnRatePerPeer),
        Refusal::Auth | Refusal::Peer | Refusal::Network => None,
    }
}

impl Port {
    /// A datagram for this client, which waits for others that can go with it.
    fn put(&mut self, client: Client, datagram: &[u8]) {
        let most = TOGETHER.min(self.state.max_gso_segments().saturating_mul(datagram.len()));
        if self.waiting != Some((client, datagram.len())) || self.bytes.len() + datagram.len() > most {
            self.flush();
            self.waiting = Some((client, datagram.len()));
        }
        self.bytes.extend_from_slice(datagram);
    }

    /// Sends what waits. What the kernel has no room for is lost, as datagrams are.
    fn flush(&mut self) {
        let Some((Client::Udp(destination, src_ip), size)) = self.waiting.take() else { return };
        let Self { socket, state, bytes, .. } = self;
        let transmit = Transmit { destination, ecn: None, contents: bytes, segment_size: Some(size), src_ip };
        if let Err(error) = socket.try_io(Interest::WRITABLE, || state.try_send((&*socket).into(), &transmit)) {
            debug!(%error, "a datagram is lost");
        }
        bytes.clear();
    }
}

/// The addresses that allocations have: the server's own as far as it is known. Nothing is ever sent to them but by way of the
/// table, so that any will do.
pub(crate) fn relayed(listen: IpAddr, public: Option<IpAddr>) -> (Ipv4Addr, Ipv6Addr) {
    let mut known: Vec<IpAddr> = public.into_iter().chain([listen]).filter(|ip| !ip.is_unspecified()).collect();
    known.extend(
        [own((Ipv4Addr::UNSPECIFIED, 0), (ELSEWHERE.0, 9)), own((Ipv6Addr::UNSPECIFIED, 0), (ELSEWHERE.1, 9))]
            .into_iter()
            .flatten(),
    );
    let v4 = known.iter().find_map(|ip| if let IpAddr::V4(ip) = ip { Some(*ip) } else { None });
    let v6 = known.iter().find_map(|ip| if let IpAddr::V6(ip) = ip { Some(*ip) } else { None });
    (v4.unwrap_or(ELSEWHERE.0), v6.unwrap_or(ELSEWHERE.1))
}

/// Addresses that nobody has (RFC 5737 and RFC 3849).
const ELSEWHERE: (Ipv4Addr, Ipv6Addr) = (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// The address that this machine has towards others, for which no packet is sent.
fn own(from: impl Into<SocketAddr>, to: impl Into<SocketAddr>) -> Option<IpAddr> {
    let socket = StdSocket::bind(from.into()).ok()?;
    socket.connect(to.into()).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_have_the_address_that_is_told_or_the_server_s() {
        let (listen, public) = ("127.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap());
        assert_eq!(relayed(listen, None).0, Ipv4Addr::LOCALHOST);
        assert_eq!(relayed(listen, Some(public)).0, Ipv4Addr::new(203, 0, 113, 7));
        assert!(!relayed("0.0.0.0".parse().unwrap(), None).0.is_unspecified());
        assert_eq!(relayed("::1".parse().unwrap(), None).1, Ipv6Addr::LOCALHOST);
    }
}
