//! Who misbehaves, on a thread of its own: what it costs to misbehave is not to delay who looks on.

use std::{
    net::Ipv4Addr,
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, anyhow};
use tokio::{
    runtime::Builder,
    sync::oneshot::{Receiver, Sender, channel},
    task::{JoinSet, spawn_blocking},
    time::{interval, timeout},
};

use crate::{
    door::Door,
    frame::{self, PING, TEXT},
    socket::Socket,
};

const BUFFER: usize = 4 * 1024;
/// Of what is said in a room where many don't read.
const SLOW_BYTES: usize = 30_000;
/// Pings go out in heaps, so often.
const HEAP: Duration = Duration::from_millis(20);

/// How somebody misbehaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// So many don't read in a room where much is said.
    Slow(usize),
    /// One says all it can in a room of so many.
    Flood(usize),
    /// One sends so many pings a second.
    Pings(usize),
}

/// Somebody who is about to misbehave, or does.
pub(super) struct Abuse {
    begin: Option<Sender<()>>,
    end: Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

/// All that were joined: the one who speaks, and those who read, or don't.
struct Crowd {
    loud: Socket,
    unread: Vec<Socket>,
    readers: JoinSet<anyhow::Result<()>>,
}

impl Abuse {
    /// Brings everybody in who is needed for it.
    pub(super) async fn prepare(kind: Kind, door: Door, room: String) -> anyhow::Result<Self> {
        let ((prepared, ready), (begin, begun), (end, ended)) = (channel(), channel(), channel());
        let thread = thread::Builder::new().name("abuse".to_owned()).spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(abuse(kind, &door, &room, prepared, begun, ended))
        })?;
        let abuse = Self { begin: Some(begin), end, thread };
        match ready.await {
            Ok(()) => Ok(abuse),
            Err(_) => Err(abuse.end().await.err().unwrap_or_else(|| anyhow!("nobody misbehaves"))),
        }
    }

    /// Lets it begin.
    pub(super) fn begin(mut self) -> Self {
        self.begin.take().map(|begin| begin.send(()));
        self
    }

    /// Lets it end. A server that has ended it itself was right.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        let Self { begin, end, thread } = self;
        drop((begin, end));
        spawn_blocking(|| thread.join()).await?.map_err(|_| anyhow!("who misbehaves has a bug"))?
    }
}

async fn abuse(
    kind: Kind,
    door: &Door,
    room: &str,
    prepared: Sender<()>,
    begun: Receiver<()>,
    mut ended: Receiver<()>,
) -> anyhow::Result<()> {
    let Crowd { loud, unread, mut readers } = match kind {
        Kind::Slow(count) => Crowd::join(door, room, count, false).await?,
        Kind::Flood(count) => Crowd::join(door, room, count, true).await?,
        Kind::Pings(_) => Crowd::join(door, room, 1, true).await?,
    };
    let work = async {
        let _ = prepared.send(());
        if begun.await.is_err() {
            return Ok(());
        }
        // It ends when the server ends the connection, which is then what has to happen.
        let _ = match kind {
            Kind::Slow(_) => shout(loud, SLOW_BYTES).await,
            Kind::Flood(_) => shout(loud, 5).await,
            Kind::Pings(rate) => ping(loud, rate).await,
        };
        std::future::pending::<anyhow::Result<()>>().await
    };
    let result = tokio::select! {
        result = work => result,
        Some(ended) = readers.join_next() => ended?.context("somebody who reads was not served"),
        _ = &mut ended => Ok(()),
    };
    // Who does not read stays until it is told to end.
    drop(unread);
    result
}

impl Crowd {
    /// So many in one room, one of whom will speak.
    async fn join(door: &Door, room: &str, count: usize, reads: bool) -> anyhow::Result<Self> {
        let mut loud = Socket::join(door, Ipv4Addr::LOCALHOST, room, "loud", BUFFER).await?;
        let (mut unread, mut readers) = (Vec::new(), JoinSet::new());
        for number in 1..count {
            let joined = Socket::join(door, Ipv4Addr::LOCALHOST, room, &format!("p{number}"), BUFFER).await;
            let joined = joined.with_context(|| format!("member {number}"))?;
            if reads {
                readers.spawn(read(joined));
            } else {
                unread.push(joined);
            }
            loud.tend().await?;
        }
        Ok(Self { loud, unread, readers })
    }
}

async fn read(mut socket: Socket) -> anyhow::Result<()> {
    loop {
        socket.wait().await?;
        while socket.take()?.is_some() {}
    }
}

/// Broadcasts without a pause, and takes what its own room says of who comes and goes.
async fn shout(mut loud: Socket, bytes: usize) -> anyhow::Result<()> {
    let message = format!(r#"{{"type":"broadcast","data":"{}"}}"#, "x".repeat(bytes));
    let message = frame::encode(TEXT, message.as_bytes());
    loop {
        loud.send(&message).await?;
        loud.tend().await?;
    }
}

async fn ping(mut loud: Socket, rate: usize) -> anyhow::Result<()> {
    let heap = (rate as f64 * HEAP.as_secs_f64()).ceil() as usize;
    let heap = frame::encode(PING, b"").repeat(heap);
    let mut ticks = interval(HEAP);
    loop {
        ticks.tick().await;
        loud.send(&heap).await?;
        // What answers is taken, as far as it has come.
        let _ = timeout(Duration::ZERO, loud.wait()).await;
        loud.tend().await?;
    }
}
