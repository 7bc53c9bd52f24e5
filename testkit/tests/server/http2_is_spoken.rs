//! HTTP/2 over TLS: what HTTP/1.1 answers, on many streams at once, and with its clock.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use grtc_testkit::{Authority, ServerProcess};
use h2::client::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode, Version};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::tls_is_spoken::server;

/// A client of it, and what moves its frames.
async fn connect(
    authority: &Authority,
    server: &ServerProcess,
) -> anyhow::Result<(SendRequest<Bytes>, tokio::task::JoinHandle<Result<(), h2::Error>>)> {
    let stream = authority.connect(server.address(), &["h2", "http/1.1"]).await?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = handshake(stream).await?;
    Ok((sender, tokio::spawn(connection)))
}

fn request(method: Method, path: &str) -> anyhow::Result<Request<()>> {
    let request = Request::builder().method(method).version(Version::HTTP_2).uri(format!("https://localhost{path}"));
    Ok(request.header("content-type", "application/json").body(())?)
}

/// An answer, read to its end.
async fn ask(
    mut sender: SendRequest<Bytes>,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    sender = sender.ready().await?;
    let (response, mut stream) = sender.send_request(request(method, path)?, body.is_none())?;
    if let Some(body) = body {
        stream.send_data(body.to_string().into(), true)?;
    }
    let (head, mut body) = timeout(Duration::from_secs(30), response).await.context("no answer")??.into_parts();
    assert_eq!(
        head.headers.get("strict-transport-security").map(|value| value.as_bytes()),
        Some(&b"max-age=31536000"[..])
    );
    assert!(head.headers.contains_key("x-request-id"));
    let mut all = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        all.extend(data);
    }
    Ok((head.status, all.into()))
}

#[tokio::test]
async fn it_answers_what_http_1_answers() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let (sender, _connection) = connect(&authority, &server).await?;
    let made =
        ask(sender.clone(), Method::POST, "/api/items/", Some(json!({"title": "t", "description": "x".repeat(9_000)})))
            .await?;
    assert_eq!(made.0, 201);
    for n in 0..200 {
        let item = json!({"title": format!("t{n}"), "description": "x".repeat(9_000)});
        assert_eq!(ask(sender.clone(), Method::POST, "/api/items/", Some(item)).await?.0, 201);
    }
    for path in ["/", "/health", "/api/items/?limit=1000", "/nothing", "/api/items/1"] {
        let (status, body) = ask(sender.clone(), Method::GET, path, None).await?;
        let first = authority.get(server.address(), path).await?;
        assert_eq!(status, first.status, "{path}");
        if path != "/health" {
            assert_eq!(body, first.body, "{path}");
        }
    }
    // More at once than there may be streams: those that are too many wait for their turn.
    let many = (0..300).map(|_| tokio::spawn(ask(sender.clone(), Method::GET, "/api/items/1", None)));
    for asked in many.collect::<Vec<_>>() {
        assert_eq!(asked.await??.0, 200);
    }
    assert_eq!(ask(sender.clone(), Method::GET, "/ws/room1", None).await?.0, 426, "a WebSocket takes HTTP/1.1");
    server.stop().await
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let mut server = server(&authority, &[]).await?;
    let (sender, connection) = connect(&authority, &server).await?;
    let mut sender = sender.ready().await?;
    let (response, mut body) = sender.send_request(request(Method::POST, "/api/items/")?, false)?;
    // It has come once a later one is answered.
    assert_eq!(ask(sender.clone(), Method::GET, "/health", None).await?.0, 200);
    server.terminate()?;
    server.line(&["stopping"]).await?;
    body.send_data(r#"{"title":"t"}"#.into(), true)?;
    assert_eq!(response.await?.status(), 201);
    drop((sender, body));
    connection.await??;
    assert_eq!(server.ended().await?, Some(0), "{}", server.log());
    Ok(())
}

/// As long as a connection of HTTP/1.1 may be without a request, and a moment for the goodbye.
#[tokio::test]
async fn a_connection_without_a_stream_ends() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let (sender, connection) = connect(&authority, &server).await?;
    let since = Instant::now();
    // With a goodbye, or in the middle of the client's own.
    let _ended = timeout(Duration::from_secs(20), connection).await.context("it is still open")??;
    assert!(since.elapsed() >= Duration::from_secs(9), "{:?}", since.elapsed());
    drop(sender);
    server.stop().await
}
