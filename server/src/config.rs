//! What the server is told: a value that a program can make, checked as a whole.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Serialize, Serializer};

use crate::{
    base_path::BasePath,
    ice::{self, Unusable},
    limits::CONNECTIONS,
    origin::Origin,
    telemetry::LogFormat,
};

/// A configuration. [`Config::default`] is what `grtc-server` does without any flag; each field is the flag of the same
/// name. Serialised, it is the file that `--config` reads.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The item store, as `sqlite://path?mode=rwc`.
    pub database_url: String,
    /// The path that all of it is below, where a proxy puts it below one and does not take that path away.
    pub base_path: BasePath,
    /// Origins that browsers may come from, besides the server's own.
    pub allow_origin: Vec<Origin>,
    /// Listen beyond loopback without authentication.
    pub insecure_open: bool,
    /// URLs of the STUN servers that clients are told.
    pub ice_server: Vec<String>,
    /// Messages a second that one WebSocket client may send; 0: any number.
    pub message_rate: u32,
    /// How long the place of a client is kept that lost its connection and asked for that; zero: not at all.
    #[serde(serialize_with = "seconds")]
    pub resume_grace: Duration,
    /// Open connections at most.
    pub max_connections: usize,
    /// Threads that serve; 0: one a core. It is the program's runtime that has them: [`crate::run`] runs on the one it is in.
    pub workers: usize,
    /// Serve the page from this folder instead of from the binary.
    pub web_dir: Option<PathBuf>,
    /// How to write the log.
    pub log_format: LogFormat,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8001)),
            database_url: "sqlite://grtc.db?mode=rwc".to_owned(),
            base_path: BasePath::default(),
            allow_origin: Vec::new(),
            insecure_open: false,
            ice_server: Vec::new(),
            message_rate: grtc_protocol::limits::MESSAGE_RATE,
            resume_grace: grtc_protocol::limits::RESUME_GRACE,
            max_connections: CONNECTIONS,
            workers: 0,
            web_dir: None,
            log_format: LogFormat::Text,
        }
    }
}

/// Why a configuration can't be run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Anybody could come in.
    #[error(
        "--listen {0} can be reached from other machines, and grtc has no authentication yet: listen on 127.0.0.1 \
         behind a proxy that has, or say --insecure-open if anybody who reaches this port may use it"
    )]
    OpenBind(SocketAddr),
    /// Not a database that grtc can use.
    #[error("--database-url {0:?}: grtc stores items in SQLite, as in sqlite://grtc.db?mode=rwc or sqlite::memory:")]
    Database(String),
    /// The folder has no page.
    #[error("--web-dir {0:?}: there is no index.html in it")]
    WebDir(PathBuf),
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
    /// Checks what it says as a whole.
    ///
    /// # Errors
    /// The first thing that can't be, with what to do about it.
    pub fn check(self) -> Result<Self, ConfigError> {
        if !self.listen.ip().is_loopback() && !self.insecure_open {
            return Err(ConfigError::OpenBind(self.listen));
        }
        if !self.database_url.starts_with("sqlite:") {
            return Err(ConfigError::Database(self.database_url));
        }
        if let Some(dir) = self.web_dir.as_ref().filter(|dir| !dir.join("index.html").is_file()) {
            return Err(ConfigError::WebDir(dir.clone()));
        }
        for url in &self.ice_server {
            ice::check(url).map_err(|why| ConfigError::IceServer { url: url.clone(), why })?;
        }
        Ok(self)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{}s", duration.as_secs_f64()))
}
