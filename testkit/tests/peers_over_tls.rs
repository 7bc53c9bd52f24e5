//! `grtc-peer` over `wss://`: whom it believes, and what it says of whom it does not.

use grtc_testkit::{Authority, PeerProcess, TestServer, tls::text};
use rcgen::{CertificateParams, date_time_ymd};

async fn server(authority: &Authority) -> anyhow::Result<TestServer> {
    let (certificate, key) = (authority.certificate(), authority.key());
    TestServer::start_with(|config| (config.tls.tls_cert, config.tls.tls_key) = (Some(certificate), Some(key))).await
}

/// What a peer that can't join says, and its exit code.
async fn refused(url: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let ended = PeerProcess::start(&[&["join", "r", "--id", "A", "--server", url], arguments].concat()).end().await;
    (ended.code, ended.stderr)
}

#[tokio::test]
async fn two_talk_who_believe_in_the_servers_authority() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority).await?;
    let ca = authority.ca();
    let port = server.address().port();
    let peer = |id, host: &str, scheme| {
        let url = format!("{scheme}://{host}:{port}");
        PeerProcess::start(&["join", "r", "--id", id, "--server", &url, "--ca", text(&ca)])
    };
    let (mut a, mut b) = (peer("A", "localhost", "wss"), peer("B", "127.0.0.1", "https"));
    a.type_line("hello").await;
    assert_eq!(b.line().await.as_deref(), Some("A: hello"));
    b.type_line("yes").await;
    assert_eq!(a.line().await.as_deref(), Some("B: yes"));
    a.interrupt();
    b.interrupt();
    assert_eq!((a.end().await.code, b.end().await.code), (Some(130), Some(130)));
    server.stop().await
}

#[tokio::test]
async fn who_is_not_believed_is_said_with_what_to_do() -> anyhow::Result<()> {
    let (authority, other) = (Authority::new()?, Authority::new()?);
    let server = server(&authority).await?;
    let url = format!("wss://localhost:{}", server.address().port());
    let (ca, others, key) = (authority.ca(), other.ca(), authority.key());
    let (code, said) = refused(&url, &[]).await;
    assert!(code == Some(20) && said.contains("--ca") && said.contains("is not trusted"), "{said}");
    let (code, said) = refused(&url, &["--ca", text(&others)]).await;
    assert!(code == Some(20) && said.contains("none of the authorities in --ca"), "{said}");
    for (file, word) in [(text(&key), "no certificate in it"), ("/nowhere", "No such file")] {
        let (code, said) = refused(&url, &["--ca", file]).await;
        assert!(code == Some(2) && said.contains(word) && said.contains("--ca"), "{said}");
    }
    let (code, said) = refused(&url.replace("wss", "ws"), &[]).await;
    assert!(code == Some(20) && said.contains("https"), "{said}");
    server.stop().await?;

    let plain = TestServer::start().await?;
    let (code, said) = refused(&format!("wss://{}", plain.address()), &["--ca", text(&ca)]).await;
    assert!(code == Some(20) && said.contains("ws://"), "{said}");
    plain.stop().await
}

#[tokio::test]
async fn a_certificate_that_is_not_right_is_said_with_what_is_wrong() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let ca = authority.ca();
    let named = |name: &str| CertificateParams::new(vec![name.to_owned()]);
    let mut expired = named("localhost")?;
    expired.not_after = date_time_ymd(2021, 3, 4);
    let mut early = named("localhost")?;
    early.not_before = date_time_ymd(4000, 3, 4);
    let mut an_authoritys = named("localhost")?;
    an_authoritys.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    for (params, words) in [
        (named("grtc.example.org")?, &["grtc.example.org", "not for localhost"][..]),
        (expired, &["expired", "2021-03-04"]),
        (early, &["4000-03-04", "clock"]),
        (an_authoritys, &["CA:FALSE"]),
    ] {
        authority.issue(&params)?;
        let server = server(&authority).await?;
        let (code, said) = refused(&format!("wss://localhost:{}", server.address().port()), &["--ca", text(&ca)]).await;
        assert!(code == Some(20) && words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
        server.stop().await?;
    }
    Ok(())
}
