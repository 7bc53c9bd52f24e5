//! An authority of a test's own, the certificates that it makes, and what believes in it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use bytes::Bytes;
use hyper::{Request, header};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::ring, pki_types::ServerName};
use tempfile::TempDir;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::http::{Answer, WAIT, exchange};

/// The names that certificates are for, unless a test says otherwise.
pub const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// An authority, with its files in a directory that goes with it: `ca.pem`, `cert.pem`, `key.pem`.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    roots: RootCertStore,
    directory: TempDir,
}

impl Authority {
    /// Makes one, and a certificate for this machine.
    ///
    /// # Errors
    /// When its files can't be written.
    pub fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "an authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone())?;
        let directory = TempDir::with_prefix("grtc-tls-")?;
        fs::write(directory.path().join("ca.pem"), certificate.pem())?;
        let authority = Self { issuer: Issuer::new(params, key), roots, directory };
        authority.issue(&CertificateParams::new(NAMES.map(String::from))?)?;
        Ok(authority)
    }

    /// Makes another certificate like this, and puts it and its key into the place of the one before.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn issue(&self, params: &CertificateParams) -> anyhow::Result<()> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        fs::write(self.certificate(), certificate.pem())?;
        Ok(fs::write(self.key(), key.serialize_pem())?)
    }

    /// The file with the authority's own certificate.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The file with the server's certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("cert.pem")
    }

    /// The file with its key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    /// What a client believes that believes in it, which offers these protocols (ALPN) in these versions of TLS.
    ///
    /// # Errors
    /// When there is no such version.
    pub fn client(
        &self,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> anyhow::Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(versions)?.with_root_certificates(self.roots.clone());
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(config)
    }

    /// Connects and does the handshake.
    ///
    /// # Errors
    /// When there is no server, or none that shows a certificate of this authority for `localhost`.
    pub async fn connect(&self, server: SocketAddr, protocols: &[&str]) -> anyhow::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::new(self.client(protocols, rustls::ALL_VERSIONS)?));
        let stream = TcpStream::connect(server).await.context("can't connect")?;
        let name = ServerName::try_from("localhost")?;
        timeout(WAIT, connector.connect(name, stream)).await.context("no handshake")?.context("no TLS")
    }

    /// GET `path` over HTTP/1.1 and TLS.
    ///
    /// # Errors
    /// When there is no answer. Any status is an answer.
    pub async fn get(&self, server: SocketAddr, path: &str) -> anyhow::Result<Answer> {
        self.send(server, Request::get(path).body(Bytes::new())?).await
    }

    /// Any request as it is; `Host` is added when it has none.
    ///
    /// # Errors
    /// As [`Authority::get`].
    pub async fn send(&self, server: SocketAddr, mut request: Request<Bytes>) -> anyhow::Result<Answer> {
        if !request.headers().contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, format!("localhost:{}", server.port()).parse()?);
        }
        let stream = self.connect(server, &["http/1.1"]).await?;
        timeout(WAIT, exchange(stream, request)).await.context("no answer")?
    }
}

/// A file's name as an argument.
///
/// # Panics
/// When it is no text.
#[must_use]
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_else(|| panic!("{} is no text", path.display()))
}
