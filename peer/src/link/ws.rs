//! The link over a WebSocket.

use std::{io, time::Duration};

use futures_util::{SinkExt, StreamExt};
use grtc_protocol::{CloseCode, RoomId, limits};
use serde::Deserialize;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{sleep_until, timeout},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{
            Response,
            header::{AUTHORIZATION, RETRY_AFTER},
        },
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use super::{
    Incoming, Join, LinkEnds, LinkError, Outgoing, SignalLink,
    renewal::Renewal,
    roots::{Roots, distrust},
    silence::Silence,
    url::ServerUrl,
};
use crate::{
    limits::{LINK_CLOSE, LINK_OPEN, LINK_PONG, LINK_QUEUE},
    report::LocalCause,
    token::TokenSource,
};

const LEAVE: &str = r#"{"type":"leave"}"#;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Links to one room of a grtc server (`/ws/{room}`).
#[derive(Clone, Debug)]
pub struct WebSocketLink {
    server: ServerUrl,
    room: RoomId,
    token: Option<TokenSource>,
    roots: Roots,
}

impl WebSocketLink {
    /// Links to this room. Nothing is opened yet.
    #[must_use]
    pub fn new(server: ServerUrl, room: RoomId) -> Self {
        Self { server, room, token: None, roots: Roots::default() }
    }

    /// Shows this token to the server, and each newer one that takes its place.
    #[must_use]
    pub fn with_token(mut self, token: Option<TokenSource>) -> Self {
        self.token = token;
        self
    }

    /// Believes these authorities when the server speaks TLS.
    #[must_use]
    pub fn with_roots(self, roots: Roots) -> Self {
        Self { roots, ..self }
    }
}

#[async_trait::async_trait]
impl SignalLink for WebSocketLink {
    async fn open(&self, join: &Join) -> Result<LinkEnds, LinkError> {
        let url = self.server.room(&self.room, join);
        // A server may send more than it takes: its envelope, and the roster of a full room.
        let largest = 8 * limits::MESSAGE_BYTES;
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * limits::MESSAGE_BYTES)
            .max_message_size(Some(largest))
            .max_frame_size(Some(largest));
        let (request, renewal) = self.request(&url).await?;
        let connector = match self.server.is_secure() {
            true => Connector::Rustls(self.roots.config().await.map_err(|why| self.unreachable(&why))?),
            false => Connector::Plain,
        };
        let connecting = connect_async_tls_with_config(request, Some(config), true, Some(connector));
        let socket = match timeout(LINK_OPEN, connecting).await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(Error::Http(response))) => return Err(refused(&response).advised(renewal.is_some())),
            Ok(Err(Error::Io(error))) if LocalCause::is_out_of_files(&error) => {
                return Err(LinkError::Local(LocalCause::OutOfFiles));
            }
            Ok(Err(error)) => return Err(self.failed(&error)),
            Err(_) => return Err(self.unreachable("it does not answer")),
        };
        let (outgoing, from_peer) = mpsc::channel(LINK_QUEUE);
        let (to_peer, incoming) = mpsc::channel(LINK_QUEUE);
        tokio::spawn(run(socket, renewal, from_peer, to_peer));
        Ok(LinkEnds { outgoing, incoming })
    }
}

impl WebSocketLink {
    /// What asks for the link, with the token that there is now.
    async fn request(&self, url: &str) -> Result<(Request, Option<Renewal>), LinkError> {
        let mut request = url.into_client_request().map_err(|error| self.failed(&error))?;
        let Some(source) = &self.token else { return Ok((request, None)) };
        let token = source.read().await.map_err(LinkError::Token)?;
        request.headers_mut().insert(AUTHORIZATION, token.bearer());
        Ok((request, Some(Renewal::new(source.clone(), token))))
    }

    fn failed(&self, error: &Error) -> LinkError {
        match error {
            Error::Io(error) => match distrust(error, &self.roots) {
                Some(why) => LinkError::Unreachable(format!("the signaling server at {} {why}", self.server)),
                None if error.kind() == io::ErrorKind::ConnectionRefused => self.unreachable("nothing listens there"),
                None => self.unreachable(&error.to_string()),
            },
            error => self.unreachable(&format!("no WebSocket answers: {error}")),
        }
    }

    fn unreachable(&self, why: &str) -> LinkError {
        LinkError::Unreachable(format!(
            "the signaling server at {} can't be reached: {why}. Is grtc-server running there? \
             --server (or GRTC_SERVER) names another",
            self.server
        ))
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
    // A date instead of seconds is not read: clocks differ.
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    LinkError::Refused {
        status: status.as_u16(),
        code: problem.code.unwrap_or_else(|| "refused".to_owned()),
        message: problem.detail.unwrap_or_else(|| format!("the server answers with {status}")),
        retry_after: seconds.map(Duration::from_secs),
    }
}

/// Moves frames until either side ends.
async fn run(
    mut socket: Socket,
    mut renewal: Option<Renewal>,
    mut from_peer: mpsc::Receiver<Outgoing>,
    to_peer: mpsc::Sender<Incoming>,
) {
    let mut silence = Silence::new();
    let end = loop {
        // In this order: what has come is looked at before it is taken for missing.
        let message = tokio::select! {
            biased;
            auth = Renewal::of(&mut renewal) => Message::text(auth),
            outgoing = from_peer.recv() => match outgoing {
                Some(Outgoing::Text(text)) => Message::text(text),
                Some(Outgoing::Probe(within)) => Message::Ping(silence.doubt(within).into()),
                Some(Outgoing::Leave) => return goodbye(socket).await,
                // Given up: no close frame, since that would be a goodbye.
                None => return,
            },
            frame = socket.next() => match came(frame, &mut silence) {
                Ok(None) => continue,
                // What nobody takes must not be answered for: the next frame may be the ping that ends the last token.
                Ok(Some(text)) => match to_peer.send(Incoming::Text(text)).await {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                Err(end) => break end,
            },
            () = sleep_until(silence.until()) => match silence.due() {
                Some(question) => Message::Ping(question.into()),
                None => break LinkError::Unreachable("the server gives no sign of life".to_owned()),
            },
        };
        match timeout(LINK_PONG, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => break broken(&error),
            Err(_) => break LinkError::Unreachable("the server takes nothing".to_owned()),
        }
    };
    let _ = to_peer.send(Incoming::End(Renewal::judge(renewal.as_ref(), end).await)).await;
    // Whatever is still to be written of the closing handshake, if the server began one.
    let _ = timeout(LINK_CLOSE, socket.flush()).await;
}

/// What came: a text for the peer, something that is settled here, or the end.
fn came(frame: Option<Result<Message, Error>>, silence: &mut Silence) -> Result<Option<String>, LinkError> {
    silence.broken();
    match frame {
        Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
        Some(Ok(Message::Pong(question))) => silence.answered(&question),
        Some(Ok(Message::Close(frame))) => return Err(closed(frame.as_ref())),
        Some(Ok(_)) => {}
        Some(Err(error)) => return Err(broken(&error)),
        None => return Err(closed(None)),
    }
    Ok(None)
}

/// Leaves the room, and ends the link from this side.
async fn goodbye(mut socket: Socket) {
    let finish = async {
        // A server that knows of `leave` closes after it; otherwise this does.
        let grace = Duration::from_millis(200);
        let left = async {
            if socket.send(Message::text(LEAVE)).await.is_ok() {
                drain(&mut socket).await;
            }
        };
        if timeout(grace, left).await.is_err() && socket.close(None).await.is_ok() {
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

#[cfg(test)]
mod tests {
    mod tokens;

    use super::*;

    #[test]
    fn a_refusal_has_the_servers_words_and_its_wait() {
        let body = br#"{"code":"overloaded","detail":"later","status":503}"#;
        let response = |retry_after: &str| {
            Response::builder().status(503).header(RETRY_AFTER, retry_after).body(Some(body.to_vec())).unwrap()
        };
        let refusal = |retry_after| LinkError::Refused {
            status: 503,
            code: "overloaded".to_owned(),
            message: "later".to_owned(),
            retry_after,
        };
        assert_eq!(refused(&response("7")), refusal(Some(Duration::from_secs(7))));
        assert_eq!(refused(&response("Wed, 21 Oct 2026 07:28:00 GMT")), refusal(None));
    }
}
