//! The relay on a stream: messages one behind the other, until its client has no allocation.

use std::{future::poll_fn, io, mem::MaybeUninit, net::SocketAddr, pin::Pin, sync::Arc, task::ready, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, split},
    select,
    time::{sleep, timeout},
};
use tracing::debug;

use super::{
    exchange::{Deaf, Entry, Exchange},
    frames::{self, Broken},
};

/// How long a client may be without an allocation, from the first byte on.
const LOGIN: Duration = Duration::from_secs(10);
/// How often it is looked at least whether an allocation is still there.
const LOOK: Duration = Duration::from_secs(60);
/// Messages that a client may send without an allocation.
const STRANGERS: usize = 64;
/// How long a client may take for the last answers.
const GOODBYE: Duration = Duration::from_secs(1);
/// Within TLS, messages go out one by one, each in a record, unless more bytes than these wait: there are clients that take a
/// record for a message (coturn's own is one).
const APART: usize = 8 * 1024;
/// Bytes that are read at once.
const CHUNK: usize = 32 * 1024;

/// Why a stream ends.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its client said goodbye")]
    Goodbye,
    #[error("{0}")]
    Broken(#[from] Broken),
    #[error("its client takes no answers")]
    Deaf,
    #[error("its client asks and asks, and gets in nowhere")]
    Stranger,
    #[error("its client has no allocation")]
    NoAllocation,
    #[error("the relay has ended")]
    Over,
}

impl From<Deaf> for Ended {
    fn from(_: Deaf) -> Self {
        Self::Deaf
    }
}

/// Relays for the client of a stream, which is seen at this address, until one of them ends. A stream may have records, as TLS
/// does.
pub(crate) async fn serve(
    exchange: Arc<Exchange>,
    stream: impl AsyncRead + AsyncWrite,
    address: SocketAddr,
    has_records: bool,
) {
    let entry = exchange.enter(address);
    let (reader, mut writer) = split(stream);
    let ended = select! {
        ended = read(&exchange, reader, &entry) => ended,
        ended = write(&mut writer, &entry, has_records) => ended,
        () = without_allocation(&exchange, &entry) => Ended::NoAllocation,
        () = exchange.over().cancelled() => Ended::Over,
    };
    debug!(reason = %ended, "a stream of the relay has ended");
    let _ = timeout(GOODBYE, async {
        writer.write_all(&entry.outlet.rest()).await?;
        writer.shutdown().await
    })
    .await;
}

async fn read(exchange: &Exchange, mut reader: impl AsyncRead + Unpin, entry: &Entry) -> Ended {
    let (mut bytes, mut strange) = (Vec::new(), 0);
    loop {
        match receive(&mut reader, &mut bytes).await {
            Ok(0) => return Ended::Goodbye,
            Ok(_) => {}
            Err(error) => return error.into(),
        }
        let (messages, taken, broken) = whole(&bytes);
        strange += messages.len();
        if let Err(Deaf) = exchange.take(messages.into_iter().map(|message| (entry.client, message))) {
            return Ended::Deaf;
        }
        if let Some(broken) = broken {
            return broken.into();
        }
        // Who has an allocation is no stranger, and is asked about no more than now and then.
        if strange > STRANGERS {
            match exchange.left(entry.client) {
                Some(_) => strange = 0,
                None => return Ended::Stranger,
            }
        }
        match taken == bytes.len() {
            // An idle client holds no buffer.
            true => bytes = Vec::new(),
            false => drop(bytes.drain(..taken)),
        }
    }
}

/// The whole messages, how many bytes they have, and whether something else follows.
fn whole(bytes: &[u8]) -> (Vec<&[u8]>, usize, Option<Broken>) {
    let (mut messages, mut rest) = (Vec::new(), bytes);
    loop {
        match frames::first(rest) {
            Ok(Some(length)) => {
                let (message, behind) = rest.split_at(length);
                messages.push(message);
                rest = behind;
            }
            Ok(None) => return (messages, bytes.len() - rest.len(), None),
            Err(broken) => return (messages, bytes.len() - rest.len(), Some(broken)),
        }
    }
}

/// Appends what has come, once something has, and says how many bytes.
async fn receive(reader: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut chunk = [const { MaybeUninit::uninit() }; CHUNK];
        let mut buffer = ReadBuf::uninit(&mut chunk);
        ready!(Pin::new(&mut *reader).poll_read(cx, &mut buffer))?;
        bytes.extend_from_slice(buffer.filled());
        Ok(buffer.filled().len()).into()
    })
    .await
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), entry: &Entry, has_records: bool) -> Ended {
    let mut bytes = Vec::new();
    loop {
        bytes = entry.outlet.next(bytes).await;
        let written = async {
            match has_records && bytes.len() <= APART {
                true => {
                    for message in whole(&bytes).0 {
                        writer.write_all(message).await?;
                    }
                }
                false => writer.write_all(&bytes).await?,
            }
            writer.flush().await
        };
        if let Err(error) = written.await {
            return error.into();
        }
    }
}

/// Waits until the client has had no allocation for as long as it may.
async fn without_allocation(exchange: &Exchange, entry: &Entry) {
    let mut wait = LOGIN;
    loop {
        sleep(wait).await;
        match exchange.left(entry.client) {
            Some(left) => wait = left.clamp(LOGIN, LOOK),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests;
