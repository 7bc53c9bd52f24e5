//! The sockets that the server listens on: bound by itself, or opened before it was started and handed to it.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener as StdListener},
};

use anyhow::{Context, bail};
use listenfd::ListenFd;
use tokio::net::{TcpListener, UdpSocket};

use crate::config::Config;

/// What the server listens on.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) main: TcpListener,
    /// For who asks in plain HTTP and is sent to https.
    pub(crate) redirect: Option<TcpListener>,
    /// Others hold these sockets open too, so that whoever comes while this server ends finds the next one.
    pub(crate) inherited: bool,
    /// For the relay, on the port of `main`; without it the relay takes that itself.
    pub(crate) datagrams: Option<UdpSocket>,
}

/// How many ports are tried, where any will do, until one is free for connections and for datagrams.
const TRIES: usize = 16;

/// One that the program has bound itself.
impl From<TcpListener> for Listeners {
    fn from(main: TcpListener) -> Self {
        Self { main, redirect: None, inherited: false, datagrams: None }
    }
}

impl Listeners {
    /// The sockets that a service manager has opened (`LISTEN_FDS`, as systemd does it: the first is for requests, a second one
    /// for those that are sent to https), or else those that the configuration names.
    ///
    /// # Errors
    /// When they can't be had, or there are sockets of another kind.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let mut handed = ListenFd::from_env();
        if handed.len() > 2 {
            bail!(
                "{} sockets were handed over (LISTEN_FDS): one is for requests, a second one for --redirect-listen",
                handed.len()
            );
        }
        let mut take = |index| -> anyhow::Result<Option<TcpListener>> {
            let listener =
                handed.take_tcp_listener(index).context("what was handed over (LISTEN_FDS) is no TCP socket")?;
            listener.map(of_tokio).transpose()
        };
        if let Some(main) = take(0)? {
            return Ok(Self { main, redirect: take(1)?, inherited: true, datagrams: None });
        }
        match config.relay.turn {
            true => Self::for_both(config.listen).await,
            false => Ok(bind(config.listen, "--listen").await?.into()),
        }
    }

    /// Those for connections and for datagrams on one port. One that is taken for datagrams is the relay's to complain of.
    async fn for_both(address: SocketAddr) -> anyhow::Result<Self> {
        for _ in 0..TRIES {
            let main = bind(address, "--listen").await?;
            match UdpSocket::bind(main.local_addr()?).await {
                Err(error) if address.port() == 0 && error.kind() == ErrorKind::AddrInUse => {}
                datagrams => return Ok(Self { datagrams: datagrams.ok(), ..main.into() }),
            }
        }
        bail!("no port is free for connections and for datagrams: --listen names one")
    }

    /// The one for who is sent to https, bound now if it was not handed over.
    pub(crate) async fn redirecting(
        redirect: Option<TcpListener>,
        address: Option<SocketAddr>,
    ) -> anyhow::Result<Option<TcpListener>> {
        match (redirect, address) {
            (None, Some(address)) => bind(address, "--redirect-listen").await.map(Some),
            (redirect, _) => Ok(redirect),
        }
    }
}

fn of_tokio(listener: StdListener) -> anyhow::Result<TcpListener> {
    listener.set_nonblocking(true).context("what was handed over can't be used")?;
    TcpListener::from_std(listener).context("what was handed over can't be used")
}

/// Listens there; `flag` takes another address.
///
/// # Errors
/// When that can't be.
pub(crate) async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("can't listen on {address} ({flag} takes another address or port)"))
}
