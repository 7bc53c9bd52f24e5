//! What the server is told: a value that a program can make, checked as a whole.

mod otlp;
mod relay;
mod tls;
mod webhook;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Serialize, Serializer};

pub use self::otlp::{InvalidOtlpEndpoint, OtlpEndpoint};
pub use self::relay::{RelayConfig, RelayError};
pub use self::tls::{TlsConfig, TlsError};
pub(crate) use self::webhook::Target;
pub use self::webhook::{WebhookConfig, WebhookError, WebhookUrl};
use crate::{
    auth::AuthConfig,
    base_path::BasePath,
    client_address::TrustedProxy,
    ice::{self, Unusable},
    limits::Values,
    origin::Origin,
    telemetry::LogFormat,
};

/// A configuration. [`Config::default`] is what `grtc-server` does without any flag; each field is the flag of the same
/// name. Serialised, it is the file that `--config` reads.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// TLS.
    #[serde(flatten)]
    pub tls: TlsConfig,
    /// The item store, as `sqlite://path?mode=rwc`.
    pub database_url: String,
    /// The path that all of it is below, where a proxy puts it below one and does not take that path away.
    pub base_path: BasePath,
    /// Origins that browsers may come from, besides the server's own.
    pub allow_origin: Vec<Origin>,
    /// Listen beyond loopback without authentication.
    pub insecure_open: bool,
    /// URLs of the STUN servers that clients are told, and, with the secret of [`RelayConfig`], of TURN servers.
    pub ice_server: Vec<String>,
    /// The relay.
    #[serde(flatten)]
    pub relay: RelayConfig,
    /// Whom the server believes what it says of a client's address.
    pub trusted_proxy: Vec<TrustedProxy>,
    /// Each connection of a trusted proxy begins with a PROXY header.
    pub proxy_protocol: bool,
    /// How long the place of a client is kept that lost its connection and asked for that; zero: not at all.
    #[serde(serialize_with = "seconds")]
    pub resume_grace: Duration,
    /// How much of what there may be; each limit is a flag of its own.
    #[serde(flatten)]
    pub limits: Values,
    /// Where Prometheus asks for metrics.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector that is told a span for each request.
    pub otlp_endpoint: Option<OtlpEndpoint>,
    /// Threads that serve; 0: one a core. It is the program's runtime that has them: [`crate::run`] runs on the one it is in.
    pub workers: usize,
    /// Serve the page from this folder instead of from the binary.
    pub web_dir: Option<PathBuf>,
    /// How to write the log.
    pub log_format: LogFormat,
    /// Who may come in.
    #[serde(flatten)]
    pub auth: AuthConfig,
    /// Whom jobs are delivered to.
    #[serde(flatten)]
    pub webhook: WebhookConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8001)),
            tls: TlsConfig::default(),
            database_url: "sqlite://grtc.db?mode=rwc".to_owned(),
            base_path: BasePath::default(),
            allow_origin: Vec::new(),
            insecure_open: false,
            ice_server: Vec::new(),
            relay: RelayConfig::default(),
            trusted_proxy: Vec::new(),
            proxy_protocol: false,
            resume_grace: grtc_protocol::limits::RESUME_GRACE,
            limits: Values::default(),
            metrics_listen: None,
            otlp_endpoint: None,
            workers: 0,
            web_dir: None,
            log_format: LogFormat::Text,
            auth: AuthConfig::default(),
            webhook: WebhookConfig::default(),
        }
    }
}

/// Why a configuration can't be run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Anybody could come in.
    #[error(
        "--listen {0} can be reached from other machines: give the server a key, as with `grtc-server token key --out key` \
         and --auth-secret-file key, or say --insecure-open if anybody who reaches this port may use it"
    )]
    OpenBind(SocketAddr),
    /// TLS can't be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Not a database that grtc can use.
    #[error("--database-url {0:?}: grtc stores items in SQLite, as in sqlite://grtc.db?mode=rwc or sqlite::memory:")]
    Database(String),
    /// Nothing can be relayed.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// Nobody would send the headers that it waits for.
    #[error(
        "--proxy-protocol says how a trusted proxy begins a connection, and there is none: name it with --trusted-proxy, as \
         --trusted-proxy 10.0.0.7"
    )]
    ProxyProtocol,
    /// The folder has no page.
    #[error("--web-dir {0:?}: there is no index.html in it")]
    WebDir(PathBuf),
    /// Jobs can't be delivered.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// A key can't be used.
    #[error("{0:#}")]
    Key(anyhow::Error),
    /// Not an ICE server that clients can be told.
    #[error("--ice-server {url:?}: {why}")]
    IceServer {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: Unusable,
    },
}

impl Config {
    /// Whether it may listen there, which is not [`Config::listen`] when the socket was handed over.
    ///
    /// # Errors
    /// [`ConfigError::OpenBind`].
    pub(crate) fn check_bind(&self, address: SocketAddr) -> Result<(), ConfigError> {
        match address.ip().is_loopback() || self.insecure_open || self.auth.is_on() {
            true => Ok(()),
            false => Err(ConfigError::OpenBind(address)),
        }
    }

    /// Checks what it says as a whole.
    ///
    /// # Errors
    /// The first thing that can't be, with what to do about it.
    pub fn check(self) -> Result<Self, ConfigError> {
        self.check_bind(self.listen)?;
        self.tls.check()?;
        self.relay.check()?;
        if !self.database_url.starts_with("sqlite:") {
            return Err(ConfigError::Database(self.database_url));
        }
        if self.proxy_protocol && self.trusted_proxy.is_empty() {
            return Err(ConfigError::ProxyProtocol);
        }
        if let Some(dir) = self.web_dir.as_ref().filter(|dir| !dir.join("index.html").is_file()) {
            return Err(ConfigError::WebDir(dir.clone()));
        }
        self.auth.keys().map_err(ConfigError::Key)?;
        self.webhook.target()?;
        let has_secret = self.relay.secret()?.is_some();
        if has_secret && !self.ice_server.iter().any(|url| ice::is_turn(url)) {
            return Err(RelayError::NoServer.into());
        }
        for url in &self.ice_server {
            ice::check(url, has_secret).map_err(|why| ConfigError::IceServer { url: url.clone(), why })?;
        }
        Ok(self)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{}s", duration.as_secs_f64()))
}
