//! `--redirect-listen`: a port that speaks plain HTTP and sends everybody to the one with TLS.

use std::{net::SocketAddr, time::Duration};

use grtc_testkit::{Authority, Http, Raw, command::run_to_end};
use tokio::net::TcpListener;

use crate::tls_is_spoken::server;

/// A port that is free now.
async fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

#[tokio::test]
async fn to_the_same_place_under_https() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let redirect = free().await?;
    let server = server(&authority, &["--redirect-listen", &redirect.to_string()]).await?;
    let port = server.address().port();
    let answer = Http::new(redirect).get("/health?x=1").await?;
    let there = format!("https://127.0.0.1:{port}/health?x=1");
    assert_eq!((answer.status, answer.header("location")), (308, Some(there.as_str())));
    assert_eq!(authority.get(server.address(), "/health?x=1").await?.status, 200);
    for (request, status) in [
        ("POST /api/items/ HTTP/1.1\r\nHost: grtc.example.org:80\r\nContent-Length: 2\r\n\r\n{}", 308),
        ("GET / HTTP/1.0\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ] {
        let mut raw = Raw::connect(redirect).await?;
        raw.send(request).await?;
        let answer = raw.answer().await?;
        assert_eq!(answer.status, status, "{request}");
        let there = format!("https://grtc.example.org:{port}/api/items/");
        assert_eq!(answer.header("location"), (status == 308).then_some(there.as_str()), "{request}");
        raw.ended(Duration::from_secs(5)).await?;
    }
    // Who says nothing holds nothing up.
    let _silent = Raw::connect(redirect).await?;
    server.stop().await
}

#[tokio::test]
async fn it_takes_a_server_that_speaks_tls() -> anyhow::Result<()> {
    let ended = run_to_end(&["--redirect-listen", "127.0.0.1:0"], &[]).await?;
    assert!(ended.code == Some(1) && ended.stderr.contains("--tls-cert"), "{ended:?}");
    let authority = Authority::new()?;
    let taken = TcpListener::bind("127.0.0.1:0").await?;
    let address = taken.local_addr()?.to_string();
    let failed = server(&authority, &["--redirect-listen", &address]).await.err().map(|error| format!("{error:#}"));
    assert!(
        failed.as_ref().is_some_and(|said| said.contains(&address) && said.contains("--redirect-listen")),
        "{failed:?}"
    );
    Ok(())
}
