//! Requests that no honest client sends. Those that dribble in are beside `http/serve.rs`, in virtual time.

use std::time::Duration;

use grtc_testkit::{Raw, TestServer};
use hyper::Request;

const POST: &str = "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn a_body_over_a_mebibyte_is_too_large_however_it_is_sent() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let padded = |bytes: usize| {
        let mut body = br#"{"title":"t"}"#.to_vec();
        body.resize(bytes, b' ');
        bytes::Bytes::from(body)
    };
    for (bytes, status) in [(1 << 20, 201), ((1 << 20) + 1, 413), (3 << 20, 413)] {
        for _ in 0..5 {
            let request =
                Request::post("/api/items/").header("content-type", "application/json").body(padded(bytes))?;
            assert_eq!(server.http().send_raw(request).await?.status, status, "{bytes}");
        }
        // Without saying how large it is.
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(format!("{POST}Transfer-Encoding: chunked\r\n\r\n")).await?;
        for chunk in padded(bytes).chunks(1 << 16) {
            if raw.send([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).await.is_err() {
                break;
            }
        }
        let _ = raw.send("0\r\n\r\n").await;
        assert_eq!(raw.answer().await?.status, status, "{bytes} in chunks");
    }
    server.stop().await
}

#[tokio::test]
async fn who_sends_all_of_a_refused_body_gets_the_answer() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for (kind, status) in [("application/json", 413), ("text/plain", 415)] {
        let mut raw = Raw::connect(server.address()).await?;
        let length = 20 << 20;
        raw.send(format!(
            "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await?;
        raw.send(vec![b' '; length]).await?;
        assert_eq!(raw.answer().await?.status, status);
    }
    server.stop().await
}

#[tokio::test]
async fn requests_that_two_readers_would_read_in_two_ways() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for lines in [
        "Content-Length: 13\r\nContent-Length: 14\r\n\r\n{\"title\":\"t\"}",
        "Content-Length: 13, 14\r\n\r\n{\"title\":\"t\"}",
        "Content-Length: +13\r\n\r\n{\"title\":\"t\"}",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 99999999999999999999\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "X : y\r\n\r\n",
        "X\r\n\r\n",
        "X: a\0b\r\n\r\n",
    ] {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(format!("{POST}{lines}")).await?;
        let answer = raw.answer().await?;
        assert_eq!(answer.status, 400, "{lines:?}");
    }
    assert_eq!(server.http().get("/api/items/").await?.header("x-total-count"), Some("0"));
    server.stop().await
}

#[tokio::test]
async fn chunked_wins_over_a_length_and_what_follows_is_one_request() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for lines in ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"]
    {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(format!("{POST}{lines}\r\n\r\nd\r\n{{\"title\":\"t\"}}\r\n0\r\n\r\n")).await?;
        assert_eq!(raw.answer().await?.status, 201, "{lines}");
        raw.finish().await?;
        assert_eq!(raw.ended(Duration::from_secs(5)).await?, "", "one request, one answer");
    }
    server.stop().await
}

#[tokio::test]
async fn another_protocol_or_huge_headers() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let (long, many) = ("x".repeat(1 << 20), "X: y\r\n".repeat(65));
    for (text, status) in [
        (format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(20_000)), "HTTP/1.1 4"),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n"), "HTTP/1.1 431"),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"), "HTTP/1.1 431"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), ""),
        ("\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03".to_owned(), ""),
        ("hello\r\n\r\n".to_owned(), "HTTP/1.1 400"),
    ] {
        let mut raw = Raw::connect(server.address()).await?;
        // It may be refused before all of it is read.
        let _ = raw.send(&text).await;
        let said = raw.ended(Duration::from_secs(5)).await?;
        assert!(said.starts_with(status) && !said.contains("HTTP/1.1 2"), "{text:.40}: {said}");
    }
    assert_eq!(server.http().get("/health").await?.status, 200);
    server.stop().await
}
