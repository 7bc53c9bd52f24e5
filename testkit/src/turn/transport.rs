//! How a client of the relay reaches it: datagrams, or messages one behind the other on a stream.

use std::{fmt, net::SocketAddr};

use anyhow::{Context, ensure};
use grtc_server::relay::frames;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::UdpSocket,
    sync::Mutex,
};

/// The largest datagram that is read.
const DATAGRAM: usize = 65_536;

/// What a stream has to do.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) enum Transport {
    Udp(UdpSocket),
    Stream { reader: Mutex<Reader>, writer: Mutex<WriteHalf<Box<dyn Stream>>> },
}

pub(super) struct Reader {
    half: ReadHalf<Box<dyn Stream>>,
    bytes: Vec<u8>,
}

impl Transport {
    pub(super) async fn udp(server: SocketAddr) -> anyhow::Result<Self> {
        let here = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(here).await?;
        socket.connect(server).await?;
        Ok(Self::Udp(socket))
    }

    pub(super) fn stream(stream: impl Stream + 'static) -> Self {
        let (half, writer) = split(Box::new(stream) as Box<dyn Stream>);
        Self::Stream { reader: Mutex::new(Reader { half, bytes: Vec::new() }), writer: Mutex::new(writer) }
    }

    /// Sends a message; on a stream, one that lacks its padding gets it.
    pub(super) async fn send(&self, message: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Udp(socket) => ensure!(socket.send(message).await? == message.len(), "it was cut"),
            Self::Stream { .. } => {
                let mut padded = message.to_vec();
                padded.resize(message.len().next_multiple_of(4), 0);
                self.write(&padded).await?;
            }
        }
        Ok(())
    }

    /// Sends bytes, which are no more than a piece of a message on a stream.
    pub(super) async fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Udp(socket) => ensure!(socket.send(bytes).await? == bytes.len(), "it was cut"),
            Self::Stream { writer, .. } => {
                let mut writer = writer.lock().await;
                writer.write_all(bytes).await?;
                writer.flush().await?;
            }
        }
        Ok(())
    }

    pub(super) async fn next(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Udp(socket) => {
                let mut datagram = vec![0; DATAGRAM];
                let length = socket.recv(&mut datagram).await?;
                datagram.truncate(length);
                Ok(datagram)
            }
            Self::Stream { reader, .. } => reader.lock().await.next().await,
        }
    }
}

impl Reader {
    async fn next(&mut self) -> anyhow::Result<Vec<u8>> {
        loop {
            if let Some(length) = frames::first(&self.bytes).context("no message came")? {
                return Ok(self.bytes.drain(..length).collect());
            }
            ensure!(self.half.read_buf(&mut self.bytes).await? > 0, "the stream has ended");
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if let Self::Udp(_) = self { "Udp" } else { "Stream" })
    }
}
