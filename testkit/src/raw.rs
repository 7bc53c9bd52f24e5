//! A TCP connection that says whatever a test wants, byte by byte: for requests and frames that no library would send.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, bail, ensure};
use grtc_load::frame as wire;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long an answer may take.
pub const WAIT: Duration = Duration::from_secs(10);

/// A connection to a server.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
    /// Bytes that came and were not asked for yet.
    rest: Vec<u8>,
}

/// The kinds of WebSocket frames (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// Goes on with the message that has begun.
    Continuation = 0,
    /// Begins a text message.
    Text = 1,
    /// Begins a binary message.
    Binary = 2,
    /// Ends the connection.
    Close = 8,
    /// Is to be answered with a pong.
    Ping = 9,
    /// Answers a ping.
    Pong = 10,
}

/// An HTTP answer as it came.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    /// The status as a number.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// As many bytes as `Content-Length` says.
    pub body: Vec<u8>,
}

impl RawAnswer {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| String::from_utf8_lossy(&self.body).into_owned())
    }
}

impl Raw {
    /// Connects and says nothing.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { stream: TcpStream::connect(server).await.context("can't connect")?, rest: Vec::new() })
    }

    /// Connects and opens a WebSocket at `path`, as `/ws/room1?peer_id=a`.
    ///
    /// # Errors
    /// When the server does not switch protocols.
    pub async fn upgrade(server: SocketAddr, path: &str) -> anyhow::Result<Self> {
        let mut raw = Self::connect(server).await?;
        raw.send(format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ))
        .await?;
        let answer = raw.answer().await?;
        ensure!(answer.status == 101, "no upgrade: {answer:?}");
        Ok(raw)
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// When the connection has ended, or the server does not read.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
        timeout(WAIT, self.stream.write_all(bytes.as_ref())).await.context("the server does not read")??;
        Ok(())
    }

    /// Sends a WebSocket frame, masked with zeros.
    ///
    /// # Errors
    /// As [`Raw::send`].
    pub async fn frame(&mut self, last: bool, opcode: Opcode, payload: &[u8]) -> anyhow::Result<()> {
        self.send(frame(last, opcode, payload)).await
    }

    /// Ends the sending side.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn finish(&mut self) -> anyhow::Result<()> {
        Ok(self.stream.shutdown().await?)
    }

    /// The next HTTP answer.
    ///
    /// # Errors
    /// When none comes, or the connection ends before it is whole.
    pub async fn answer(&mut self) -> anyhow::Result<RawAnswer> {
        timeout(WAIT, self.read_answer()).await.with_context(|| format!("no answer within {WAIT:?}"))?
    }

    async fn read_answer(&mut self) -> anyhow::Result<RawAnswer> {
        let end = loop {
            match self.rest.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => ensure!(self.more().await?, "ended instead of an answer: {:?}", self.text()),
            }
        };
        let head = String::from_utf8_lossy(&self.rest[..end]).into_owned();
        self.rest.drain(..end);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let mut answer = RawAnswer { status, head, body: Vec::new() };
        let length = answer.header("content-length").map_or(Ok(0), str::parse::<usize>)?;
        while self.rest.len() < length {
            ensure!(self.more().await?, "ended within the body of {answer:?}");
        }
        answer.body = self.rest.drain(..length).collect();
        Ok(answer)
    }

    /// The next WebSocket frame of the server: its opcode as a number, and its payload.
    ///
    /// # Errors
    /// When none comes within `wait`, or the connection ends.
    pub async fn next_frame(&mut self, wait: Duration) -> anyhow::Result<(u8, Vec<u8>)> {
        timeout(wait, self.read_frame()).await.with_context(|| format!("no frame within {wait:?}"))?
    }

    /// Reads frames up to the close frame, and gives its code.
    ///
    /// # Errors
    /// When none comes within `wait` after the last frame, or the connection ends without one.
    pub async fn close_code(&mut self, wait: Duration) -> anyhow::Result<u16> {
        loop {
            if let (8, payload) = self.next_frame(wait).await? {
                let code = payload.first_chunk().context("a close frame without a code")?;
                return Ok(u16::from_be_bytes(*code));
            }
        }
    }

    async fn read_frame(&mut self) -> anyhow::Result<(u8, Vec<u8>)> {
        loop {
            if let Some((opcode, payload)) = wire::decode(&self.rest)? {
                let frame = self.rest.drain(..payload.end).skip(payload.start).collect();
                return Ok((opcode, frame));
            }
            ensure!(self.more().await?, "ended instead of a frame");
        }
    }

    /// Waits until the server has ended the connection, and gives what it said before.
    ///
    /// # Errors
    /// When it has not within `wait`.
    pub async fn ended(&mut self, wait: Duration) -> anyhow::Result<String> {
        let all = async {
            // A reset ends it as well.
            while self.more().await.unwrap_or(false) {}
        };
        if timeout(wait, all).await.is_err() {
            bail!("still open after {wait:?}");
        }
        Ok(self.text())
    }

    /// Ends the connection with a reset: what was not read yet is gone, on both sides.
    ///
    /// # Errors
    /// When the system can't.
    pub fn reset(self) -> anyhow::Result<()> {
        Ok(self.stream.set_zero_linger()?)
    }

    async fn more(&mut self) -> std::io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.rest).await? > 0)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.rest).into_owned()
    }
}

/// A client's frame, masked with zeros, so that its payload can be read on the wire.
#[must_use]
pub fn frame(last: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    wire::masked(if last { wire::LAST } else { 0 } | opcode as u8, [0; 4], payload)
}
