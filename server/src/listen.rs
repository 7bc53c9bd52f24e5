//! The one place that accepts connections.

mod acme;
pub(crate) mod certificate;
mod follow;
pub(crate) mod listeners;
pub(crate) mod source;
pub(crate) mod tls;
mod wire;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tracing::{debug, warn};

pub(crate) use wire::{Begins, HttpIo, Wire};

/// What the kernel takes before it is sent.
const UNSENT_BYTES: u32 = 128 * 1024;
/// Connections that wait to be accepted: all may come back in one moment. The kernel's own bound (`net.core.somaxconn`) counts
/// as well. Who finds no place there tries again after a second, then after two, and so on.
const BACKLOG: i32 = 16_000;
/// How long to wait when nothing can be accepted. Most often no file descriptor is left: connections end and give theirs
/// back.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// What a listener takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// HTTP alone: no byte is looked at before.
    Http,
    /// The relay alone.
    Relay,
    /// Both.
    All,
}

/// Where a connection comes from. An address is personal: the log says which network it is from.
#[derive(Clone, Copy)]
pub(crate) struct Remote {
    ip: IpAddr,
    /// 0 where only a proxy knows it.
    port: u16,
    /// The connection itself is from this machine.
    is_local: bool,
}

/// Accepts for ever and hands over each connection.
pub(crate) async fn accept(listener: TcpListener, serve: impl Fn(Wire, Remote)) {
    bound_unsent(&listener);
    lengthen_backlog(&listener);
    loop {
        let (stream, address) = accepted(&listener).await;
        // Small frames go out at once; what fails here fails again at the first read.
        let _ = stream.set_nodelay(true);
        serve(Wire::Plain(stream), Remote::new(address));
    }
}

/// The next connection. That there can be none for a while is told once.
pub(crate) async fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "no connection can be accepted; trying again");
                }
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Bounds what the kernel takes of an answer before its client has room for it: a client that takes nothing holds no more,
/// and one that takes little is seen to do so soon. Connections inherit it.
fn bound_unsent(listener: &TcpListener) {
    if let Err(error) = SockRef::from(listener).set_tcp_notsent_lowat(UNSENT_BYTES) {
        debug!(%error, "the kernel does not bound what is unsent");
    }
}

/// Has the kernel take in as many connections as may wait, whoever made the listener.
fn lengthen_backlog(listener: &TcpListener) {
    if let Err(error) = SockRef::from(listener).listen(BACKLOG) {
        debug!(%error, "the kernel takes no more connections that wait");
    }
}

impl Remote {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let is_local = address.ip().to_canonical().is_loopback();
        Self { ip: address.ip(), port: address.port(), is_local }
    }

    pub(crate) fn ip(self) -> IpAddr {
        self.ip
    }

    pub(crate) fn address(self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port)
    }

    pub(crate) fn is_local(self) -> bool {
        self.is_local
    }

    /// The same connection, whose proxy says that it is this one's.
    pub(crate) fn for_client(self, ip: IpAddr) -> Self {
        Self { ip, port: 0, ..self }
    }

    #[cfg(test)]
    pub(crate) fn loopback() -> Self {
        Self::new(SocketAddr::from(([127, 0, 0, 1], 9)))
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.ip.to_canonical().is_loopback() { "loopback" } else { "remote" })
    }
}
