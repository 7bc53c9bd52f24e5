//! A WebSocket client that costs little: frames are made once and sent many times, and read where they arrive.

use std::{net::Ipv4Addr, ops::Range};

use anyhow::{Context, bail};
use grtc_protocol::CloseCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    door::Door,
    frame::{self, CLOSE, PING, PONG, TEXT},
    stream::Stream,
};

/// The key of RFC 6455's example and its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const CLOSE_NORMAL: [u8; 2] = (CloseCode::Normal as u16).to_be_bytes();
/// The server closes first, so a client's port is free again at once. More than one address all the same, so that the
/// search for a free port stays short.
const SOURCES: u8 = 16;

/// A peer in a room.
#[derive(Debug)]
pub struct Socket {
    stream: Stream,
    input: Vec<u8>,
    /// What of `input` has arrived and was not taken yet.
    unread: Range<usize>,
    pong: Option<Vec<u8>>,
}

impl Socket {
    /// Connects from `source`, upgrades, and waits for the `room_state`. Room and peer are plain ASCII names; `buffer`
    /// is how many bytes are read at once at most.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn join(door: &Door, source: Ipv4Addr, room: &str, peer: &str, buffer: usize) -> anyhow::Result<Self> {
        let mut socket = Self::open(door, source, &format!("/ws/{room}?peer_id={peer}"), buffer).await?;
        let first = socket.next().await.context("no room_state")?;
        anyhow::ensure!(frame::is(first, "room_state")?, "expected room_state, got {}", String::from_utf8_lossy(first));
        Ok(socket)
    }

    /// Connects from `source` and upgrades at `path`, without waiting for any frame; `buffer` is how many bytes are read at
    /// once at most. Room and peer id, which begin the path, are whose token it shows: a client that comes back is the same.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn open(door: &Door, source: Ipv4Addr, path: &str, buffer: usize) -> anyhow::Result<Self> {
        let stream = door.connect(source).await?;
        let mut socket = Self { stream, input: vec![0; buffer], unread: 0..0, pong: None };
        socket.upgrade(door, path).await.context("no upgrade")?;
        Ok(socket)
    }

    /// Waits for the next text message.
    ///
    /// # Errors
    /// As [`Socket::wait`] and [`Socket::take`].
    pub async fn next(&mut self) -> anyhow::Result<&[u8]> {
        let message = loop {
            self.wait().await?;
            if let Some(message) = self.take_range()? {
                break message;
            }
        };
        self.input.get(message).context("a message out of nowhere")
    }

    /// Ends the connection with a reset: what has arrived and was not read is gone.
    ///
    /// # Errors
    /// When the system can't.
    pub fn reset(self) -> anyhow::Result<()> {
        self.stream.set_zero_linger().context("can't reset a connection")
    }

    /// Sends frames that are ready to be sent: see [`frame::encode`].
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send(&mut self, frames: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(frames).await.context("can't send")?;
        self.stream.flush().await.context("can't send")
    }

    /// Waits until there is a frame to take.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn wait(&mut self) -> anyhow::Result<()> {
        while frame::decode(self.input.get(self.unread.clone()).unwrap_or_default())?.is_none() {
            if let Some(pong) = self.pong.take() {
                self.send(&pong).await?;
            }
            anyhow::ensure!(self.fill().await? > 0, "the server ended the connection");
        }
        Ok(())
    }

    /// The next text message that has arrived whole, if there is one. Pings are answered at the next wait.
    ///
    /// # Errors
    /// When the server closed, or sent a binary frame.
    pub fn take(&mut self) -> anyhow::Result<Option<&[u8]>> {
        Ok(self.take_range()?.and_then(|payload| self.input.get(payload)))
    }

    fn take_range(&mut self) -> anyhow::Result<Option<Range<usize>>> {
        loop {
            let unread = self.input.get(self.unread.clone()).unwrap_or_default();
            let Some((opcode, payload)) = frame::decode(unread)? else { return Ok(None) };
            let payload = self.unread.start + payload.start..self.unread.start + payload.end;
            self.unread.start = payload.end;
            let bytes = self.input.get(payload.clone()).unwrap_or_default();
            match opcode {
                TEXT => return Ok(Some(payload)),
                PING => self.pong = Some(frame::encode(PONG, bytes)),
                PONG => {}
                CLOSE => bail!(closed(bytes)),
                other => bail!("the server sent a frame of type {other}"),
            }
        }
    }

    /// Closes with 1000, waits for the server's close frame and for the end of the connection, which is the server's to
    /// make: so the port is free again at once.
    ///
    /// # Errors
    /// When the server does not answer the close with 1000.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.send(&frame::encode(CLOSE, &CLOSE_NORMAL)).await?;
        let mut answered = false;
        loop {
            let unread = self.input.get(self.unread.clone()).unwrap_or_default();
            match frame::decode(unread)? {
                Some((CLOSE, payload)) => {
                    let code = unread.get(payload).unwrap_or_default();
                    anyhow::ensure!(code.starts_with(&CLOSE_NORMAL), closed(code));
                    (answered, self.unread) = (true, 0..0);
                }
                Some((_, payload)) => self.unread.start += payload.end,
                None if self.fill().await? > 0 => {}
                None if answered => return Ok(()),
                None => bail!("the server ended the connection without a close frame"),
            }
        }
    }

    /// Takes everything that has arrived by now.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn drain(&mut self) -> anyhow::Result<()> {
        loop {
            while self.take()?.is_some() {}
            self.make_room();
            let Some(free) = self.input.get_mut(self.unread.end..) else { return Ok(()) };
            match self.stream.read_now(free).context("can't receive")? {
                Some(0) => bail!("the server ended the connection"),
                Some(count) => self.unread.end += count,
                None => return Ok(()),
            }
        }
    }

    /// Takes everything that has arrived by now, and answers a ping.
    ///
    /// # Errors
    /// As [`Socket::drain`] and [`Socket::send`].
    pub async fn tend(&mut self) -> anyhow::Result<()> {
        self.drain()?;
        match self.pong.take() {
            Some(pong) => self.send(&pong).await,
            None => Ok(()),
        }
    }

    async fn upgrade(&mut self, door: &Door, path: &str) -> anyhow::Result<()> {
        let authorization = door.authorization(path.split('&').next())?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{authorization}\r\n",
            door.address()
        );
        self.send(request.as_bytes()).await?;
        loop {
            anyhow::ensure!(self.fill().await? > 0, "the server ended the connection");
            let head = self.input.get(self.unread.clone()).unwrap_or_default();
            let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let accepted =
                head.starts_with(b"HTTP/1.1 101 ") && head.windows(ACCEPT.len()).any(|bytes| bytes == ACCEPT);
            anyhow::ensure!(accepted, "the server answered: {}", String::from_utf8_lossy(head));
            self.unread.start += end + 4;
            return Ok(());
        }
    }

    async fn fill(&mut self) -> anyhow::Result<usize> {
        self.make_room();
        let free = self.input.get_mut(self.unread.end..).unwrap_or_default();
        let count = self.stream.read(free).await.context("can't receive")?;
        self.unread.end += count;
        Ok(count)
    }

    /// Moves what is unread to the front, and makes the buffer larger for a frame that does not fit.
    fn make_room(&mut self) {
        if self.unread.start > 0 {
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        if self.unread.end == self.input.len() {
            self.input.resize((self.input.len() * 2).max(256), 0);
        }
    }
}

/// One of a few addresses of this machine.
#[must_use]
pub fn source(worker: usize) -> Ipv4Addr {
    let last = u8::try_from(worker % usize::from(SOURCES)).unwrap_or_default();
    Ipv4Addr::new(127, 0, 0, 1 + last)
}

fn closed(payload: &[u8]) -> String {
    match payload {
        [a, b, reason @ ..] => {
            let code = u16::from_be_bytes([*a, *b]);
            format!("the server closed with {code} {}", String::from_utf8_lossy(reason))
        }
        _ => "the server closed without a code".to_owned(),
    }
}
