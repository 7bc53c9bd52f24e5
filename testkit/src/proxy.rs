//! The network between a peer and its server, which can be cut.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Hands TCP connections on to a server. Dropping it ends all of them.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    way: Arc<Mutex<Way>>,
    accepted: watch::Receiver<usize>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Way {
    /// None: it is cut, and whoever connects is closed at once.
    server: Option<SocketAddr>,
    /// Set once the connections that there are carry nothing any more.
    silent: watch::Sender<bool>,
    connections: Vec<JoinHandle<()>>,
}

impl Proxy {
    /// In front of this server, on a free port.
    ///
    /// # Errors
    /// When it can't listen.
    pub async fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("can't listen")?;
        let address = listener.local_addr()?;
        let way = Arc::new(Mutex::new(Way {
            server: Some(server),
            silent: watch::Sender::new(false),
            connections: Vec::new(),
        }));
        let (count, accepted) = watch::channel(0);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&way), count));
        Ok(Self { address, way, accepted, accepting })
    }

    /// `ws://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Ends all connections without a word, and lets none through.
    pub fn cut(&self) {
        let mut way = lock(&self.way);
        way.server = None;
        way.connections.drain(..).for_each(|connection| connection.abort());
    }

    /// Carries nothing any more over the connections that there are, and ends none of them. New ones are like any.
    pub fn silence(&self) {
        lock(&self.way).silent.send_replace(true);
        lock(&self.way).silent = watch::Sender::new(false);
    }

    /// Lets connections through to this server.
    pub fn lead_to(&self, server: SocketAddr) {
        lock(&self.way).server = Some(server);
    }

    /// Waits until so many connections have come since the start.
    ///
    /// # Errors
    /// When no more are accepted.
    pub async fn accepted(&mut self, count: usize) -> anyhow::Result<()> {
        self.accepted.wait_for(|accepted| *accepted >= count).await.context("the proxy has ended")?;
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, way: Arc<Mutex<Way>>, count: watch::Sender<usize>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let mut way = lock(&way);
        if let Some(server) = way.server {
            let mut silent = way.silent.subscribe();
            way.connections.push(tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(server).await else { return };
                tokio::select! {
                    // Whichever side ends, the other one is told by the end of its connection.
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    true = async { silent.wait_for(|silent| *silent).await.is_ok() } => std::future::pending().await,
                }
            }));
        }
        drop(way);
        count.send_modify(|count| *count += 1);
    }
}

fn lock(way: &Mutex<Way>) -> MutexGuard<'_, Way> {
    way.lock().unwrap_or_else(PoisonError::into_inner)
}
