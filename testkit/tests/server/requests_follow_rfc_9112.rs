//! Requests that RFC 9112 tells a server to refuse, or to take: by kind, each in a connection of its own.

use std::time::Duration;

use grtc_testkit::{Raw, TestServer};

/// What the server says to these bytes until it ends the connection, or until it waits for more.
async fn said(server: &TestServer, bytes: &str) -> anyhow::Result<(u16, String)> {
    let mut raw = Raw::connect(server.address()).await?;
    let _ = raw.send(bytes).await;
    raw.finish().await?;
    let said = raw.ended(Duration::from_secs(15)).await?;
    let status = said.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0);
    Ok((status, said))
}

#[tokio::test]
async fn what_has_to_be_refused_is_refused_with_400() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let post = "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let body = "{\"title\":\"t\"}";
    for (kind, request) in [
        // Section 2.2, 3: the request line.
        ("no version", "GET /health\r\nHost: localhost\r\n\r\n".to_owned()),
        ("two blanks", "GET  /health HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("a blank in the target", "GET /hea lth HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("a blank before the method", " GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("another protocol", "GET /health HTCPCP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("a bare CR", "GET /health HTTP/1.1\rHost: localhost\r\n\r\n".to_owned()),
        ("a blank before the first header", "GET /health HTTP/1.1\r\n Host: localhost\r\n\r\n".to_owned()),
        // Section 3.2: Host.
        ("no Host", "GET /health HTTP/1.1\r\n\r\n".to_owned()),
        ("no Host for the page", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        ("two Hosts", "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n".to_owned()),
        ("two different Hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: 127.0.0.1\r\n\r\n".to_owned()),
        ("a Host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned()),
        // Section 5: headers.
        ("a blank before the colon", format!("{post}Content-Length : 13\r\n\r\n{body}")),
        ("no colon", format!("{post}X\r\n\r\n")),
        ("no name", format!("{post}: x\r\n\r\n")),
        ("a folded line", format!("{post}X: a\r\n b\r\n\r\n")),
        ("a NUL", format!("{post}X: a\0b\r\n\r\n")),
        ("a CR in a value", format!("{post}X: a\rb\r\n\r\n")),
        ("a name that is no token", format!("{post}X(y): z\r\n\r\n")),
        // Section 6: lengths.
        ("two lengths", format!("{post}Content-Length: 13\r\nContent-Length: 14\r\n\r\n{body}")),
        ("a list of lengths", format!("{post}Content-Length: 13, 14\r\n\r\n{body}")),
        ("a length with a sign", format!("{post}Content-Length: +13\r\n\r\n{body}")),
        ("a negative length", format!("{post}Content-Length: -13\r\n\r\n{body}")),
        ("a hexadecimal length", format!("{post}Content-Length: 0xd\r\n\r\n{body}")),
        ("a length without digits", format!("{post}Content-Length: \r\n\r\n{body}")),
        ("a length beyond 64 bits", format!("{post}Content-Length: 99999999999999999999\r\n\r\n")),
        ("another coding", format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")),
        ("chunked, but not at last", format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")),
        ("a coding in HTTP/1.0", format!("{}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", post.replace("1.1", "1.0"))),
        // Section 7.1: chunks.
        ("a chunk without a size", format!("{post}Transfer-Encoding: chunked\r\n\r\n\r\n{body}\r\n0\r\n\r\n")),
        ("a chunk size that is none", format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n")),
        ("a chunk size with a sign", format!("{post}Transfer-Encoding: chunked\r\n\r\n+d\r\n{body}\r\n0\r\n\r\n")),
        ("a chunk longer than its size", format!("{post}Transfer-Encoding: chunked\r\n\r\n5\r\n{body}\r\n0\r\n\r\n")),
        ("a chunk size beyond 64 bits", format!("{post}Transfer-Encoding: chunked\r\n\r\n{}\r\n", "f".repeat(17))),
        ("the end within a chunk", format!("{post}Transfer-Encoding: chunked\r\n\r\nff\r\n{body}")),
        ("the end before the length", format!("{post}Content-Length: 99\r\n\r\n{body}")),
    ] {
        let (status, said) = said(&server, &request).await?;
        assert_eq!(status, 400, "{kind}: {said}");
    }
    assert_eq!(server.http().get("/api/items/").await?.header("x-total-count"), Some("0"), "nothing was done");
    server.stop().await
}

#[tokio::test]
async fn what_has_to_be_taken_is_taken() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let post = "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let body = "{\"title\":\"t\"}";
    for (kind, request, expected) in [
        ("an absolute target", "GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 200),
        ("empty lines before", "\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 200),
        ("LF alone", "GET /health HTTP/1.1\nHost: localhost\n\n".to_owned(), 200),
        ("blanks around a value", "GET /health HTTP/1.1\r\nHost: \t localhost \t\r\n\r\n".to_owned(), 200),
        (
            "a chunk with an extension",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nd;a=b\r\n{body}\r\n0\r\n\r\n"),
            201,
        ),
        ("trailers", format!("{post}Transfer-Encoding: chunked\r\n\r\nd\r\n{body}\r\n0\r\nX: y\r\n\r\n"), 201),
        ("a coding in capitals", format!("{post}Transfer-Encoding: CHUNKED\r\n\r\nd\r\n{body}\r\n0\r\n\r\n"), 201),
        ("a length that is said twice", format!("{post}Content-Length: 13\r\nContent-Length: 13\r\n\r\n{body}"), 201),
        ("a method that nobody knows", "BREW /health HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 405),
        ("a tunnel", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n".to_owned(), 405),
        ("the server as such", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 204),
    ] {
        let (status, said) = said(&server, &request).await?;
        assert_eq!(status, expected, "{kind}: {said}");
    }
    server.stop().await
}
