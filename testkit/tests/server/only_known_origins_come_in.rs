//! Which browsers come in: the same list for pages that read the API and for pages that open a WebSocket.

use std::net::SocketAddr;

use grtc_testkit::{Launch, Raw, ServerProcess, TestServer, raw::RawAnswer};
use serde_json::json;

use crate::tokens::Keys;

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/// The answer to a request with these header lines instead of the usual `Host`.
async fn ask(server: SocketAddr, first: &str, lines: &str) -> anyhow::Result<RawAnswer> {
    let mut raw = Raw::connect(server).await?;
    raw.send(format!("{first} HTTP/1.1\r\n{lines}\r\n\r\n")).await?;
    raw.answer().await
}

async fn page(server: &TestServer, origin: &str) -> anyhow::Result<(u16, u16)> {
    let lines = format!("Host: {}\r\nOrigin: {origin}", server.address());
    let read = ask(server.address(), "GET /api/items/", &lines).await?;
    assert_eq!(read.header("access-control-allow-origin"), (read.status == 200).then_some(origin));
    let socket = ask(server.address(), "GET /ws/room1", &format!("{lines}\r\n{UPGRADE}")).await?;
    Ok((read.status, socket.status))
}

#[tokio::test]
async fn on_loopback_loopback_pages_come_in() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let own = format!("http://{}", server.address());
    for origin in [own.as_str(), "http://localhost:8000", "http://127.0.0.1:8000", "https://[::1]:3"] {
        assert_eq!(page(&server, origin).await?, (200, 101), "{origin}");
    }
    for origin in [
        "null",
        "",
        "http://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost:1@evil.example",
        "file://",
        "http://127.0.0.1:8000/",
    ] {
        assert_eq!(page(&server, origin).await?, (403, 403), "{origin}");
    }
    server.stop().await
}

#[tokio::test]
async fn an_allowed_origin_comes_in_by_its_whole_name() -> anyhow::Result<()> {
    let allow = ["https://app.example.org".parse()?, "http://other.example:81".parse()?];
    let server = TestServer::start_with(|config| config.allow_origin.extend(allow)).await?;
    for origin in ["https://app.example.org", "https://app.example.org:443", "http://other.example:81"] {
        assert_eq!(page(&server, origin).await?, (200, 101), "{origin}");
    }
    for origin in [
        "http://app.example.org",
        "https://app.example.org:8443",
        "https://app.example.org.evil.example",
        "https://evilapp.example.org",
        "http://other.example",
    ] {
        assert_eq!(page(&server, origin).await?, (403, 403), "{origin}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_loopback() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let port = server.address().port();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("LOCALHOST:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("evil.example:{port}"), 403),
        ("169.254.169.254".to_owned(), 403),
        (String::new(), 403),
    ] {
        for path in ["/", "/rooms", "/api/items/"] {
            let answer = ask(server.address(), &format!("GET {path}"), &format!("Host: {host}")).await?;
            assert_eq!(answer.status, status, "{path} at {host}");
            if status == 403 {
                let problem = answer.json()?;
                assert_eq!(problem["code"], "host_not_allowed");
                assert!(problem["detail"].as_str().unwrap_or_default().contains(&format!("{host:?}")), "{problem}");
            }
        }
        for path in ["/health", "/health/live", "/health/ready"] {
            assert_eq!(
                ask(server.address(), &format!("GET {path}"), &format!("Host: {host}")).await?.status,
                200,
                "{path}"
            );
        }
    }
    server.stop().await
}

/// RFC 9112 section 3.2; before HTTP/1.1 a request could do without.
#[tokio::test]
async fn a_request_names_one_host() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for path in ["/", "/health", "/rooms", "/nothing", "/ws/room1", "/static/js/main.js"] {
        for lines in ["X: no host", "Host: localhost\r\nHost: localhost", "Host: a b"] {
            let answer = ask(server.address(), &format!("GET {path}"), lines).await?;
            assert_eq!((answer.status, &answer.json()?["code"]), (400, &json!("bad_host")), "{path} {lines}");
        }
    }
    for (path, status) in [("/health/live", 200), ("/rooms", 403)] {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(format!("GET {path} HTTP/1.0\r\n\r\n")).await?;
        assert_eq!(raw.answer().await?.status, status, "{path}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_preflight_says_what_a_page_may_do() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let lines = |origin| format!("Host: localhost\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: PUT");
    let allowed = ask(server.address(), "OPTIONS /api/items/1", &lines("http://localhost:8000")).await?;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (204, Some("http://localhost:8000")));
    for (header, words) in [
        ("access-control-allow-methods", &["GET", "POST", "PUT", "PATCH", "DELETE"][..]),
        ("access-control-allow-headers", &["content-type", "if-match", "if-none-match", "idempotency-key"]),
        ("access-control-expose-headers", &["etag", "location", "x-total-count", "retry-after"]),
    ] {
        let value = allowed.header(header).unwrap_or_default();
        assert!(words.iter().all(|word| value.contains(word)), "{header}: {value}");
    }
    assert_eq!(allowed.header("access-control-allow-credentials"), None);
    let refused = ask(server.address(), "OPTIONS /api/items/1", &lines("http://evil.example")).await?;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
    assert_eq!(refused.json()?["code"], json!("origin_not_allowed"));
    server.stop().await
}

/// The token is good: where the page is from decides, for what it reads and for what it opens.
#[tokio::test]
async fn a_good_token_opens_nothing_to_a_page_from_elsewhere() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    let arguments = ["--auth-secret-file", keys.path(), "--allow-origin", "https://app.example.org"];
    let server = ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await?;
    let token = keys.token(&["--sub", "ann", "--room", "*", "--items", "read"]).await?;
    let page = async |origin: &str| {
        let lines = format!("Host: {}\r\nAuthorization: Bearer {token}\r\nOrigin: {origin}", server.address());
        let read = ask(server.address(), "GET /api/items/", &lines).await?;
        assert_eq!(read.header("access-control-allow-origin"), (read.status == 200).then_some(origin), "{origin}");
        let socket = ask(server.address(), "GET /ws/room1", &format!("{lines}\r\n{UPGRADE}")).await?;
        anyhow::Ok((read.status, socket.status))
    };
    for origin in ["https://app.example.org", "https://app.example.org:443", "http://localhost:8000"] {
        assert_eq!(page(origin).await?, (200, 101), "{origin}");
    }
    let long = format!("https://{}.example.org", "a".repeat(4_000));
    for origin in [
        "",
        "null",
        "NULL",
        "*",
        "app.example.org",
        "//app.example.org",
        "http://app.example.org",
        "ws://app.example.org",
        "wss://app.example.org",
        "ftp://app.example.org",
        "file://",
        "file:///app.example.org",
        "about:blank",
        "data:text/html,x",
        "blob:https://app.example.org/1",
        "javascript://app.example.org",
        "chrome-extension://app.example.org",
        "https://app.example.org:80",
        "https://app.example.org:8443",
        "https://app.example.org:0443x",
        "https://app.example.org:",
        "https://app.example.org.",
        "https://app.example.org/",
        "https://app.example.org/x",
        "https://app.example.org?x",
        "https://app.example.org#x",
        "https://app.example.org\\",
        "https://app.example.org@evil.example",
        "https://evil.example@app.example.org",
        "https://user:password@app.example.org",
        "https://app.example.org.evil.example",
        "https://evil.example/app.example.org",
        "https://evilapp.example.org",
        "https://evil.app.example.org",
        "https://example.org",
        "https://app.example.or",
        "https://app.example.orgg",
        "https://app-example.org",
        "https://app%2eexample.org",
        "https://app.example.org%00.evil.example",
        "https://app.example.org https://evil.example",
        "https://evil.example, https://app.example.org",
        "https://xn--pp-wia.example.org",
        "https://аpp.example.org",
        "https://app。example.org",
        "https://192.0.2.1",
        &long,
    ] {
        assert_eq!(page(origin).await?, (403, 403), "{origin}");
    }
    let twice = page("https://evil.example\r\nOrigin: https://app.example.org").await?;
    assert!(twice.0 >= 400 && twice.1 >= 400, "which of the two is it from? {twice:?}");
    server.stop().await
}
