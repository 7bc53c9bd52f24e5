//! TLS of the server's own: what it takes, what it shows, and what it says to who does not speak it.

use std::time::Duration;

use bytes::Bytes;
use grtc_testkit::{Authority, Client, Launch, Raw, ServerProcess, command::run_to_end, tls::text};
use hyper::Request;
use serde_json::json;
use tokio::{io::AsyncReadExt, process::Command};

/// A server that shows this authority's certificate.
pub(crate) async fn server(authority: &Authority, arguments: &[&str]) -> anyhow::Result<ServerProcess> {
    let (certificate, key) = (authority.certificate(), authority.key());
    let arguments = [&["--tls-cert", text(&certificate), "--tls-key", text(&key)], arguments].concat();
    ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await
}

#[tokio::test]
async fn requests_and_rooms_go_over_it() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    server.line(&["listening", "https://"]).await?;
    for (path, status) in [("/health", 200), ("/", 200), ("/nothing", 404), ("/api/items/", 200)] {
        let answer = authority.get(server.address(), path).await?;
        assert_eq!(
            (answer.status, answer.header("strict-transport-security")),
            (status, Some("max-age=31536000")),
            "{path}"
        );
    }
    let mut a = Client::join_securely(&authority, server.address(), "room1", "a").await?;
    let mut b = Client::join_securely(&authority, server.address(), "room1", "b").await?;
    a.expect("peer_joined").await?;
    // More than a record of TLS has room for.
    let long = "x".repeat(60_000);
    b.send(json!({"type": "message", "target_peer_id": "a", "data": long})).await?;
    assert_eq!(a.expect("direct_message").await?["data"], long);
    assert_eq!(b.leave().await?.code, Some(1000));
    a.expect("peer_left").await?;
    server.terminate()?;
    assert_eq!(a.closed().await?.code, Some(1012));
    server.stop().await.or(Ok(()))
}

/// A page that came in plain text is not the server's own, whatever its host.
#[tokio::test]
async fn an_origin_of_its_own_is_one_of_https() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &["--listen", "0.0.0.0:0", "--insecure-open"]).await?;
    let address = ([127, 0, 0, 1], server.address().port()).into();
    for (origin, host, status) in [
        ("https://grtc.example.org", "grtc.example.org", 200),
        ("https://grtc.example.org:8443", "grtc.example.org:8443", 200),
        ("http://grtc.example.org", "grtc.example.org", 403),
        ("http://grtc.example.org:8443", "grtc.example.org:8443", 403),
    ] {
        let request = Request::get("/api/items/").header("host", host).header("origin", origin).body(Bytes::new())?;
        assert_eq!(authority.send(address, request).await?.status, status, "{origin}");
    }
    server.stop().await
}

#[tokio::test]
async fn who_speaks_plain_http_is_told() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &["--max-connections", "1"]).await?;
    for request in
        ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /api/items/ HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"]
    {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(request).await?;
        let answer = raw.answer().await?;
        let problem = answer.json()?;
        assert_eq!((answer.status, &problem["code"]), (400, &json!("https_only")));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("https://")), "{problem}");
        assert_eq!(answer.header("strict-transport-security"), None);
        assert_eq!(raw.ended(Duration::from_secs(5)).await?, "");
    }
    let mut nonsense = Raw::connect(server.address()).await?;
    nonsense.send([0xff; 100]).await?;
    assert_eq!(nonsense.ended(Duration::from_secs(5)).await?, "");
    // Who is one too many is told over TLS as well.
    let _only = authority.connect(server.address(), &[]).await?;
    let refused = authority.get(server.address(), "/").await?;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(refused.header("strict-transport-security"), Some("max-age=31536000"));
    server.stop().await
}

/// What another implementation of TLS makes of it.
#[tokio::test]
async fn openssl_finds_no_old_version_and_no_weak_suite() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let address = server.address().to_string();
    let ca = authority.ca();
    let ask = async |options: &[&str]| {
        let mut openssl = Command::new("openssl");
        openssl.args([
            "s_client",
            "-connect",
            &address,
            "-CAfile",
            text(&ca),
            "-verify_return_error",
            "-servername",
            "localhost",
        ]);
        let output = openssl.args(options).stdin(std::process::Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        anyhow::Ok((output.status.success(), said))
    };
    for (options, words) in [
        (&["-tls1_2"][..], "TLSv1.2"),
        (&["-tls1_3"], "TLSv1.3"),
        (&["-alpn", "http/1.1"], "ALPN protocol: http/1.1"),
        (&["-tls1_2", "-cipher", "ECDHE+AESGCM"], "ECDHE-ECDSA-AES"),
        (&["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], "CHACHA20"),
        (&["-tls1_2", "-reconnect"], "Reused, TLSv1.2"),
    ] {
        let (well, said) = ask(options).await?;
        assert!(well && said.contains(words) && said.contains("Verify return code: 0"), "{options:?}: {said}");
    }
    for options in [
        // All that OpenSSL has, down to what it leaves out itself.
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "aRSA+kRSA:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "ALL:!AESGCM:!CHACHA20:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "3DES:RC4:SHA1:DHE:@SECLEVEL=0"],
        &["-alpn", "spdy/3"],
    ] {
        let (well, said) = ask(options).await?;
        assert!(!well && !said.contains("Verify return code: 0 (ok)\n---\nread"), "{options:?}: {said}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_session_is_resumed_by_its_ticket() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let config = std::sync::Arc::new(authority.client(&["http/1.1"], rustls::ALL_VERSIONS)?);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let stream = tokio::net::TcpStream::connect(server.address()).await?;
        let connector = tokio_rustls::TlsConnector::from(config.clone());
        let mut stream = connector.connect("localhost".try_into()?, stream).await?;
        kinds.push(stream.get_ref().1.handshake_kind());
        tokio::io::AsyncWriteExt::write_all(
            &mut stream,
            b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )
        .await?;
        // Its end says that it is whole.
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(kinds, [Some(rustls::HandshakeKind::Full), Some(rustls::HandshakeKind::Resumed)]);
    server.stop().await
}

#[tokio::test]
async fn health_asks_over_it() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    authority.issue(&rcgen::CertificateParams::new(vec!["grtc.example.org".to_owned()])?)?;
    let server = server(&authority, &[]).await?;
    let url = format!("https://{}/health/ready", server.address());
    let ca = authority.ca();
    let right = ["health", "--url", &url, "--ca", text(&ca), "--server-name", "grtc.example.org"];
    let asked = run_to_end(&right, &[]).await?;
    assert_eq!(asked.code, Some(0), "{asked:?}");
    for (arguments, said) in [(&right[..5], "not valid for name"), (&right[..3], "UnknownIssuer")] {
        let asked = run_to_end(arguments, &[]).await?;
        assert!(asked.code == Some(1) && asked.stderr.contains(said), "{asked:?}");
    }
    server.stop().await
}

#[tokio::test]
async fn what_can_not_be_shown_is_said_at_the_start() -> anyhow::Result<()> {
    let (authority, other) = (Authority::new()?, Authority::new()?);
    let (certificate, key, others) = (authority.certificate(), authority.key(), other.key());
    for (arguments, words) in [
        (&["--tls-cert", text(&certificate)][..], &["--tls-key", "go together"][..]),
        (&["--tls-key", text(&key)], &["--tls-cert", "go together"]),
        (&["--tls-cert", text(&certificate), "--tls-key", text(&others)], &["don't belong together"]),
        (&["--tls-cert", text(&certificate), "--tls-key", "/nowhere"], &["--tls-key", "/nowhere", "No such file"]),
        (&["--tls-cert", text(&key), "--tls-key", text(&key)], &["--tls-cert", "no certificate"]),
    ] {
        for command in ["serve", "check-config"] {
            let ended = run_to_end(&[&[command], arguments].concat(), &[]).await?;
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(words.iter().all(|word| ended.stderr.contains(word)), "{arguments:?}: {}", ended.stderr);
        }
    }
    Ok(())
}

/// The lines of `docs/OPERATIONS.md` for a machine without an authority.
#[tokio::test]
async fn a_certificate_as_openssl_makes_it_will_do() -> anyhow::Result<()> {
    let directory = tempfile::TempDir::new()?;
    let operations = include_str!("../../../docs/OPERATIONS.md");
    let lines = operations.lines().skip_while(|line| !line.starts_with("openssl req")).take(2);
    let command = lines.collect::<Vec<_>>().join("\n");
    let made = Command::new("sh").args(["-c", &command]).current_dir(directory.path()).output().await?;
    assert!(made.status.success(), "{made:?}");
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let arguments = ["--tls-cert", text(&certificate), "--tls-key", text(&key)];
    let server = ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await?;
    server.line(&["a certificate is shown", "certificate.until"]).await?;
    let url = format!("https://{}/health/ready", server.address());
    let asked = run_to_end(&["health", "--url", &url, "--ca", text(&certificate)], &[]).await?;
    assert_eq!(asked.code, Some(0), "{asked:?}");
    server.stop().await
}

#[tokio::test]
async fn who_says_nothing_or_dribbles_holds_up_nobody_else() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let mut crowd = Vec::new();
    for n in 0..300 {
        let mut raw = Raw::connect(server.address()).await?;
        if n % 2 == 0 {
            // The beginning of a record that never comes whole.
            raw.send([22, 3, 1, 2, 0, 1, 0]).await?;
        }
        crowd.push(raw);
    }
    let since = std::time::Instant::now();
    assert_eq!(authority.get(server.address(), "/health").await?.status, 200);
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    for mut raw in crowd {
        raw.ended(Duration::from_secs(20)).await?;
    }
    server.stop().await
}

/// What an idle WebSocket costs more than without TLS.
#[tokio::test]
async fn an_idle_socket_costs_little_more() -> anyhow::Result<()> {
    const SOCKETS: usize = 500;
    const MORE: u64 = 12 * 1024;
    grtc_load::raise_open_files()?;
    let authority = Authority::new()?;
    let mut costs = Vec::new();
    for secure in [false, true] {
        let server = match secure {
            true => server(&authority, &[]).await?,
            false => ServerProcess::launch(&Launch::default()).await?,
        };
        let mut sockets = Vec::new();
        let mut before = 0;
        for n in 0..SOCKETS + 100 {
            // The first ones pay for what all use.
            if n == 100 {
                before = server.resident_bytes()?;
            }
            let (room, peer) = (format!("room{}", n / 10), format!("p{n}"));
            sockets.push(match secure {
                true => Client::join_securely(&authority, server.address(), &room, &peer).await?,
                false => server.join(&room, &peer).await?,
            });
        }
        costs.push((server.resident_bytes()? - before) / SOCKETS as u64);
        drop(sockets);
        server.stop().await?;
    }
    eprintln!("an idle socket: {} bytes, over TLS {} bytes", costs[0], costs[1]);
    assert!(costs[1] <= costs[0] + MORE, "{costs:?}");
    Ok(())
}
