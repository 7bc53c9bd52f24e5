//! What the server is told about its relay.

use std::{fs, net::SocketAddr, path::PathBuf};

use anyhow::{Context, ensure};

use serde::Serialize;

use crate::{public_address::PublicAddress, relay::credentials::Secret};

/// The relay. Each field is the flag of the same name.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RelayConfig {
    /// Be a STUN and TURN server, by UDP, TCP and, where there is TLS, by TLS on the port of [`super::Config::listen`].
    pub turn: bool,
    /// Where it is that instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_listen: Option<SocketAddr>,
    /// The name of this server for clients, where the one that they asked for is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_address: Option<PublicAddress>,
    /// A file with the secret that TURN servers elsewhere know (coturn's `static-auth-secret`): its bytes without a final line
    /// feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_secret_file: Option<PathBuf>,
}

/// Why nothing can be relayed as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// A place for what is not there.
    #[error("--turn-listen {0} says where the relay is, and there is none without --turn")]
    NoRelay(SocketAddr),
    /// Not a secret.
    #[error("--turn-secret-file {}: {error:#}", file.display())]
    Secret {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: anyhow::Error,
    },
    /// A secret that nobody shares.
    #[error(
        "--turn-secret-file is for TURN servers elsewhere, and no --ice-server names one, as turn:turn.example.org:3478?transport=udp"
    )]
    NoServer,
}

impl RelayConfig {
    /// The secret that is shared with TURN servers elsewhere, if there are any.
    ///
    /// # Errors
    /// When its file can't be read, or is empty.
    pub(crate) fn secret(&self) -> Result<Option<Secret>, RelayError> {
        let Some(file) = &self.turn_secret_file else { return Ok(None) };
        let read = || {
            let bytes = fs::read(file).context("it can't be read")?;
            let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            ensure!(!secret.is_empty(), "it is empty");
            Ok(Secret::new(secret))
        };
        read().map(Some).map_err(|error| RelayError::Secret { file: file.clone(), error })
    }

    pub(super) fn check(&self) -> Result<(), RelayError> {
        match self.turn_listen.filter(|_| !self.turn) {
            Some(address) => Err(RelayError::NoRelay(address)),
            None => Ok(()),
        }
    }
}
