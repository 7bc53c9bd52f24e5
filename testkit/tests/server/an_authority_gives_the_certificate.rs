//! ACME against Pebble, the test server of Let's Encrypt's makers: a certificate comes, is kept over a restart, and a failure
//! costs the server nothing.

use std::{net::SocketAddr, process::Stdio, sync::Arc, time::Duration};

use anyhow::Context;
use grtc_testkit::{Authority, Launch, ServerProcess, command::run_to_end, tls::text};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{Instant, sleep},
};
use tokio_rustls::TlsConnector;

const NAMES: [&str; 2] = ["grtc.example.org", "www.grtc.example.org"];

/// How long certificates are good for that are not to end.
const LIFE: Duration = Duration::from_secs(90 * 86_400);

/// An authority, and the names that lead to this machine.
struct Pebble {
    processes: [Child; 2],
    directory: String,
    api: SocketAddr,
    management: SocketAddr,
    dns: SocketAddr,
    authority: Authority,
    files: TempDir,
}

async fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

impl Pebble {
    /// One that looks for proofs at this port; none where it is not installed.
    async fn start(port: u16, life: Duration) -> anyhow::Result<Option<Self>> {
        loop {
            // A port that was free may be somebody else's by the time that a program takes it: that program ends then.
            let Some(mut pebble) = Self::launch(port, life).await? else { return Ok(None) };
            let since = Instant::now();
            while !pebble.has_ended()? {
                if TcpStream::connect(pebble.api).await.is_ok() && TcpStream::connect(pebble.dns).await.is_ok() {
                    return Ok(Some(pebble));
                }
                anyhow::ensure!(since.elapsed() < Duration::from_secs(20), "pebble does not listen");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn launch(port: u16, life: Duration) -> anyhow::Result<Option<Self>> {
        let (authority, files) = (Authority::new()?, TempDir::new()?);
        let (api, management, dns) = (free().await?, free().await?, free().await?);
        let config = serde_json::json!({"pebble": {
            "listenAddress": api, "managementListenAddress": management, "certificate": authority.certificate(),
            "privateKey": authority.key(), "httpPort": 1, "tlsPort": port, "ocspResponderURL": "",
            "externalAccountBindingRequired": false, "certificateValidityPeriod": life.as_secs(),
        }});
        let file = files.path().join("pebble.json");
        std::fs::write(&file, config.to_string())?;
        let start = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).env("PEBBLE_VA_NOSLEEP", "1").stdout(Stdio::null()).stderr(Stdio::null());
            command.kill_on_drop(true).spawn()
        };
        let resolver = dns.to_string();
        let names = [
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
            "-dns01",
            &resolver,
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-management",
            "127.0.0.1:0",
        ];
        let Ok(names) = start("pebble-challtestsrv", &names) else { return Ok(None) };
        let pebble = start("pebble", &["-config", text(&file), "-dnsserver", &resolver])?;
        let directory = format!("https://{api}/dir");
        Ok(Some(Self { processes: [names, pebble], directory, api, management, dns, authority, files }))
    }

    fn has_ended(&mut self) -> anyhow::Result<bool> {
        let [names, pebble] = &mut self.processes;
        Ok(names.try_wait()?.is_some() || pebble.try_wait()?.is_some())
    }

    async fn server(&self, port: u16) -> anyhow::Result<ServerProcess> {
        let (listen, cache, ca) = (format!("127.0.0.1:{port}"), self.files.path().join("cache"), self.authority.ca());
        let domains = NAMES.join(",");
        let arguments = [
            "--listen",
            &listen,
            "--acme-domain",
            &domains,
            "--acme-contact",
            "mailto:you@example.org",
            "--acme-cache",
            text(&cache),
            "--acme-directory",
            &self.directory,
            "--acme-ca",
            text(&ca),
        ];
        let launch = Launch { arguments: &arguments, ..Launch::default() };
        ServerProcess::launch(&launch).await
    }

    /// Who believes in the certificates that it gives.
    async fn client(&self) -> anyhow::Result<TlsConnector> {
        let root = self.authority.get(self.management, "/roots/0").await?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&root.body)?)?;
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        Ok(TlsConnector::from(Arc::new(
            builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth(),
        )))
    }
}

/// The certificate that a server shows to who believes in the authority and asks for this name.
async fn shown(client: &TlsConnector, server: &ServerProcess, name: &'static str) -> anyhow::Result<Vec<u8>> {
    let stream = TcpStream::connect(server.address()).await?;
    let stream = client.connect(name.try_into()?, stream).await?;
    Ok(stream.get_ref().1.peer_certificates().context("no certificate")?[0].to_vec())
}

#[tokio::test]
async fn it_comes_by_itself_and_is_kept() -> anyhow::Result<()> {
    let port = free().await?.port();
    let Some(pebble) = Pebble::start(port, LIFE).await? else {
        eprintln!("skipped: pebble is not there");
        return Ok(());
    };
    let server = pebble.server(port).await?;
    server.line(&["a certificate is shown", NAMES[0]]).await?;
    let client = pebble.client().await?;
    let first = shown(&client, &server, NAMES[0]).await?;
    assert_eq!(shown(&client, &server, NAMES[1]).await?, first);
    server.stop().await?;

    let again = pebble.server(port).await?;
    again.line(&["a certificate is shown"]).await?;
    assert_eq!(shown(&client, &again, NAMES[0]).await?, first);
    assert!(!again.log().contains("asking for a certificate"), "{}", again.log());
    again.stop().await?;
    for file in std::fs::read_dir(pebble.files.path().join("cache"))? {
        use std::os::unix::fs::PermissionsExt;
        let mode = file?.metadata()?.permissions().mode();
        assert_eq!(mode & 0o077, 0, "others may read a key");
    }
    Ok(())
}

#[tokio::test]
async fn one_that_was_kept_and_ends_is_replaced() -> anyhow::Result<()> {
    const SHORT: Duration = Duration::from_secs(6);
    let port = free().await?.port();
    let Some(pebble) = Pebble::start(port, SHORT).await? else {
        eprintln!("skipped: pebble is not there");
        return Ok(());
    };
    let server = pebble.server(port).await?;
    server.line(&["a certificate is shown"]).await?;
    let client = pebble.client().await?;
    let first = shown(&client, &server, NAMES[0]).await?;
    server.stop().await?;
    // It has to grow old.
    sleep(SHORT * 2 / 3).await;
    let again = pebble.server(port).await?;
    again.line(&["asking for a certificate"]).await?;
    let since = Instant::now();
    while shown(&client, &again, NAMES[0]).await.is_ok_and(|shown| shown == first) {
        anyhow::ensure!(since.elapsed() < Duration::from_secs(30), "{}", again.log());
        sleep(Duration::from_millis(50)).await;
    }
    again.line(&["a certificate is shown"]).await?;
    again.stop().await
}

#[tokio::test]
async fn a_proof_that_fails_is_said_and_the_server_lives() -> anyhow::Result<()> {
    let (port, other) = (free().await?.port(), free().await?.port());
    let Some(pebble) = Pebble::start(other, LIFE).await? else {
        eprintln!("skipped: pebble is not there");
        return Ok(());
    };
    let server = pebble.server(port).await?;
    let line = server.line(&["WARN", "no certificate was given", NAMES[0]]).await?;
    assert!(line.contains("tls-alpn-01 challenge"), "the authority's own words are there: {line}");
    assert!(TcpStream::connect(server.address()).await.is_ok());
    server.stop().await
}

#[tokio::test]
async fn what_can_not_be_asked_for_is_said_at_the_start() -> anyhow::Result<()> {
    for (arguments, words) in [
        (&["--acme-domain", "grtc.example.org"][..], "--acme-cache"),
        (&["--acme-domain", "*.example.org", "--acme-cache", "c"], "wildcard"),
        (&["--acme-domain", "192.0.2.1", "--acme-cache", "c"], "whole name"),
        (&["--acme-domain", "a.example", "--acme-cache", "c", "--acme-contact", "me"], "mailto:"),
        (&["--acme-domain", "a.example", "--acme-cache", "c", "--acme-directory", "http://x"], "https://"),
        (&["--acme-domain", "a.example", "--acme-cache", "c", "--tls-cert", "c", "--tls-key", "k"], "--tls-cert"),
        (&["--acme-domain", "a.example", "--acme-cache", "c", "--acme-ca", "/nowhere"], "/nowhere"),
    ] {
        let arguments = [&["--listen", "127.0.0.1:0"], arguments].concat();
        let ended = run_to_end(&arguments, &[]).await?;
        assert!(ended.code == Some(1) && ended.stderr.contains(words), "{arguments:?}: {ended:?}");
    }
    Ok(())
}
