//! `--proxy-protocol`: a trusted proxy says first whose connection it is.

use std::time::Duration;

use grtc_server::limits::Limit;
use grtc_testkit::{Raw, TestServer};

const GET: &str = "GET /rooms HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

async fn server() -> anyhow::Result<TestServer> {
    let proxy = "127.0.0.0/8".parse()?;
    TestServer::start_with(|config| {
        config.trusted_proxy = vec![proxy];
        config.proxy_protocol = true;
        config.limits[Limit::RequestRate] = 1;
    })
    .await
}

async fn status(server: &TestServer, header: &[u8]) -> anyhow::Result<u16> {
    let mut raw = Raw::connect(server.address()).await?;
    raw.send([header, GET.as_bytes()].concat()).await?;
    Ok(raw.answer().await?.status)
}

#[tokio::test]
async fn the_clients_address_counts_and_nothing_that_it_says_itself() -> anyhow::Result<()> {
    let server = server().await?;
    let mut answers = Vec::new();
    for n in 0..20 {
        answers
            .push(status(&server, format!("PROXY TCP4 203.0.113.7 192.0.2.1 {} 443\r\n", 1_000 + n).as_bytes()).await?);
    }
    assert!(answers.iter().filter(|status| **status == 429).count() > 10, "{answers:?}");
    for n in 0..20 {
        let header = format!("PROXY TCP6 2001:db8:{n}::7 ::1 1000 443\r\n");
        assert_eq!(status(&server, header.as_bytes()).await?, 200, "another one has a rate of its own");
    }
    let version_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\xc0\0\x02\x01\xdc\x04\x01\xbb";
    assert_eq!(status(&server, version_2).await?, 429, "203.0.113.7 again");
    // The proxy's own health check.
    assert_eq!(status(&server, b"PROXY UNKNOWN\r\n").await?, 200);
    assert_eq!(status(&server, b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0").await?, 200);
    server.stop().await
}

#[tokio::test]
async fn without_the_header_there_is_no_connection() -> anyhow::Result<()> {
    let server = server().await?;
    for begin in ["", "PROXY TCP4 garbage\r\n", "\r\n\r\n\0\r\nQUIT\n\x31\0\0\0"] {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(format!("{begin}{GET}")).await?;
        assert_eq!(raw.ended(Duration::from_secs(5)).await?, "", "{begin:?}");
    }
    server.stop().await
}

#[tokio::test]
async fn from_anybody_else_it_is_no_http() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.trusted_proxy = vec!["192.0.2.1".parse().unwrap()]).await?;
    assert_eq!(status(&server, b"PROXY TCP4 203.0.113.7 192.0.2.1 1000 443\r\n").await?, 400);
    server.stop().await
}

#[test]
fn it_takes_a_proxy_that_is_trusted() {
    let config = grtc_server::Config { proxy_protocol: true, ..Default::default() };
    assert!(config.check().unwrap_err().to_string().contains("--trusted-proxy"));
}
