//! A link that shows a token, to a server that notes what it is shown.

use std::path::{Path, PathBuf};

use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{handshake::server, protocol::frame::coding::CloseCode},
};

use super::*;

/// A server for one link after the other.
struct Server(TcpListener);

impl Server {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn link(&self, token: Option<TokenSource>) -> WebSocketLink {
        let url = format!("ws://{}", self.0.local_addr().unwrap());
        WebSocketLink::new(url.parse().unwrap(), "r".parse().unwrap()).with_token(token)
    }

    /// The next link, and what it was opened with.
    #[allow(clippy::result_large_err, reason = "the library's type")]
    async fn accepts(&self) -> (WebSocketStream<TcpStream>, Option<String>) {
        let (stream, _) = self.0.accept().await.unwrap();
        let mut shown = None;
        let note = |request: &server::Request, response: server::Response| {
            shown = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
            Ok(response)
        };
        let socket = accept_hdr_async(stream, note).await.unwrap();
        (socket, shown)
    }
}

/// A file with a token.
struct TokenFile(TempDir);

impl TokenFile {
    fn new(token: &str) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        file.write(token);
        file
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("token")
    }

    fn write(&self, token: &str) {
        std::fs::write(self.path(), format!("{token}\n")).unwrap();
    }

    fn source(&self) -> Option<TokenSource> {
        Some(TokenSource::File(self.path()))
    }
}

async fn closes(mut socket: WebSocketStream<TcpStream>, code: u16) {
    let frame = CloseFrame { code: CloseCode::from(code), reason: "over".into() };
    socket.close(Some(frame)).await.unwrap();
    while socket.next().await.is_some() {}
}

/// How the link ends that this is one end of.
async fn end(ends: &mut LinkEnds) -> LinkError {
    loop {
        if let Incoming::End(error) = ends.incoming.recv().await.unwrap() {
            return error;
        }
    }
}

#[tokio::test]
async fn a_token_is_shown_when_the_link_is_opened() {
    let server = Server::new().await;
    for (token, shown) in [(Some(TokenSource::Text("a.b.c".to_owned())), Some("Bearer a.b.c")), (None, None)] {
        let link = server.link(token);
        let join = Join::default();
        let (opened, (_socket, seen)) = tokio::join!(link.open(&join), server.accepts());
        opened.unwrap();
        assert_eq!(seen.as_deref(), shown);
    }
}

#[tokio::test]
async fn a_newer_token_in_the_file_is_shown_on_the_open_link() {
    let (server, file) = (Server::new().await, TokenFile::new("a.b.1"));
    let (link, join) = (server.link(file.source()), Join::default());
    let (opened, (mut socket, _)) = tokio::join!(link.open(&join), server.accepts());
    let mut ends = opened.unwrap();
    file.write("a.b.2");
    let auth = socket.next().await.unwrap().unwrap();
    assert_eq!(auth.to_text().unwrap(), r#"{"type":"auth","token":"a.b.2"}"#);
    // What the server says to that is one of the frames that both sides count.
    socket.send(Message::text(r#"{"type":"authenticated"}"#)).await.unwrap();
    assert_eq!(ends.incoming.recv().await, Some(Incoming::Text(r#"{"type":"authenticated"}"#.to_owned())));
}

#[tokio::test]
async fn who_is_put_out_comes_back_with_a_newer_token_alone() {
    let (server, file) = (Server::new().await, TokenFile::new("a.b.1"));
    let (link, join) = (server.link(file.source()), Join::default());
    for (code, newer, is_final) in [(4401, true, false), (4401, false, true), (4403, true, true)] {
        let (opened, (socket, _)) = tokio::join!(link.open(&join), server.accepts());
        let mut ends = opened.unwrap();
        if newer {
            file.write(&format!("a.b.{code}"));
        }
        let (error, ()) = tokio::join!(end(&mut ends), closes(socket, code));
        assert_eq!((error.is_final(), error.is_unauthorized()), (is_final, is_final), "{code} {newer} {error:?}");
        assert_eq!(error.may_return_at_once(), !is_final);
    }
}

#[tokio::test]
async fn a_file_without_a_token_opens_nothing_and_is_named() {
    let link = Server::new().await.link(Some(TokenSource::File(Path::new("/nowhere/token").into())));
    let error = link.open(&Join::default()).await.err().unwrap();
    assert!(error.code() == "token_file" && error.to_string().contains("/nowhere/token"), "{error}");
}
