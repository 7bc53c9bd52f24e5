//! The link over a WebSocket.

use std::{io, time::Duration};

use futures_util::{SinkExt, StreamExt};
use grtc_protocol::{CloseCode, PeerId, RoomId, limits};
use serde::Deserialize;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message,
        http::Response,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use super::{Incoming, LinkEnds, LinkError, SignalLink, url::ServerUrl};
use crate::{
    limits::{LINK_CLOSE, LINK_IDLE, LINK_OPEN, LINK_PONG, LINK_QUEUE},
    report::LocalCause,
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Links to one room of a grtc server (`/ws/{room}`).
#[derive(Clone, Debug)]
pub struct WebSocketLink {
    server: ServerUrl,
    room: RoomId,
}

impl WebSocketLink {
    /// Links to this room. Nothing is opened yet.
    #[must_use]
    pub fn new(server: ServerUrl, room: RoomId) -> Self {
        Self { server, room }
    }
}

#[async_trait::async_trait]
impl SignalLink for WebSocketLink {
    async fn open(&self, id: Option<&PeerId>) -> Result<LinkEnds, LinkError> {
        let url = self.server.room(&self.room, id);
        // A server may send more than it takes: its envelope, and the roster of a full room.
        let largest = 4 * limits::MESSAGE_BYTES;
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * limits::MESSAGE_BYTES)
            .max_message_size(Some(largest))
            .max_frame_size(Some(largest));
        let connecting = connect_async_with_config(url, Some(config), true);
        let socket = match timeout(LINK_OPEN, connecting).await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(Error::Http(response))) => return Err(refused(&response)),
            Ok(Err(Error::Io(error))) if LocalCause::is_out_of_files(&error) => {
                return Err(LinkError::Local(LocalCause::OutOfFiles));
            }
            Ok(Err(error)) => return Err(self.unreachable(&reason(&error))),
            Err(_) => return Err(self.unreachable("it does not answer")),
        };
        let (outgoing, from_peer) = mpsc::channel(LINK_QUEUE);
        let (to_peer, incoming) = mpsc::channel(LINK_QUEUE);
        tokio::spawn(run(socket, from_peer, to_peer));
        Ok(LinkEnds { outgoing, incoming })
    }
}

impl WebSocketLink {
    fn unreachable(&self, why: &str) -> LinkError {
        LinkError::Unreachable(format!(
            "the signaling server at {} can't be reached: {why}. Is grtc-server running there? \
             --server (or GRTC_SERVER) names another",
            self.server
        ))
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        Error::Io(error) => error.to_string(),
        error => format!("no WebSocket answers: {error}"),
    }
}

/// The server's own words, where it answers with a problem (RFC 9457).
fn refused(response: &Response<Option<Vec<u8>>>) -> LinkError {
    #[derive(Default, Deserialize)]
    struct Problem {
        detail: Option<String>,
        code: Option<String>,
    }
    let body = response.body().as_deref().unwrap_or_default();
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let status = response.status();
    LinkError::Refused {
        status: status.as_u16(),
        code: problem.code.unwrap_or_else(|| "refused".to_owned()),
        message: problem.detail.unwrap_or_else(|| format!("the server answers with {status}")),
    }
}

/// Moves frames until either side ends.
async fn run(mut socket: Socket, mut from_peer: mpsc::Receiver<String>, to_peer: mpsc::Sender<Incoming>) {
    let mut silence = Silence::new();
    let end = loop {
        tokio::select! {
            text = from_peer.recv() => match text {
                Some(text) => if let Err(error) = socket.send(Message::text(text)).await { break broken(&error) },
                None => return goodbye(socket).await,
            },
            frame = socket.next() => {
                silence.broken();
                match frame {
                    Some(Ok(Message::Text(text))) => {
                        // A peer that is gone drops the other end as well: see above.
                        let _ = to_peer.send(Incoming::Text(text.as_str().to_owned())).await;
                    }
                    Some(Ok(Message::Close(frame))) => break closed(frame.as_ref()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break broken(&error),
                    None => break closed(None),
                }
            }
            () = sleep_until(silence.until) => match silence.asked {
                true => break LinkError::Unreachable("the server gives no sign of life".to_owned()),
                false => {
                    silence.ask();
                    if let Err(error) = socket.send(Message::Ping(Default::default())).await { break broken(&error) }
                }
            },
        }
    };
    let _ = to_peer.send(Incoming::End(end)).await;
    // Whatever is still to be read or written of the closing handshake.
    let _ = timeout(LINK_CLOSE, socket.close(None)).await;
}

/// When the server is asked for a sign of life, and when it is too late for one.
struct Silence {
    until: Instant,
    asked: bool,
}

impl Silence {
    fn new() -> Self {
        Self { until: Instant::now() + LINK_IDLE, asked: false }
    }

    fn broken(&mut self) {
        *self = Self::new();
    }

    fn ask(&mut self) {
        *self = Self { until: Instant::now() + LINK_PONG, asked: true };
    }
}

/// Ends the link from this side.
async fn goodbye(mut socket: Socket) {
    let finish = async {
        // The server closes after a `leave`; otherwise this does.
        let grace = Duration::from_millis(200);
        if timeout(grace, drain(&mut socket)).await.is_err() && socket.close(None).await.is_ok() {
            drain(&mut socket).await;
        }
    };
    let _ = timeout(LINK_CLOSE, finish).await;
}

async fn drain(socket: &mut Socket) {
    while let Some(Ok(_)) = socket.next().await {}
}

fn closed(frame: Option<&CloseFrame>) -> LinkError {
    let Some(frame) = frame else { return LinkError::Unreachable("the server closed the link".to_owned()) };
    let code = u16::from(frame.code);
    let known = CloseCode::from_code(code).map(CloseCode::reason);
    let message = match (frame.reason.is_empty(), known) {
        (false, _) => frame.reason.to_string(),
        (true, Some(reason)) => reason.to_owned(),
        (true, None) => format!("the server closed the link with code {code}"),
    };
    LinkError::Closed { code, message }
}

fn broken(error: &Error) -> LinkError {
    LinkError::Unreachable(format!("the link to the server broke: {error}"))
}
