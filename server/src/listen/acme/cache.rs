//! What is kept over a restart: the account with the authority, and the certificate with its key.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

/// Files in the directory that `--acme-cache` names. Their names tell for whom and of whom, so that another authority, or
/// another domain, does not get what is not its own.
pub(super) struct Cache {
    account: PathBuf,
    certificate: PathBuf,
}

impl Cache {
    /// In this folder: the account with the authority that has this directory, and its certificate.
    pub(super) fn new(folder: &Path, directory: &str, contact: &[String], domains: &[String]) -> Self {
        let name = |kind: &str, words: &[String], end: &str| {
            let words = format!("{directory}\n{}", words.join("\n"));
            let digest: String = Sha256::digest(words).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            folder.join(format!("{kind}-{digest}.{end}"))
        };
        Self { account: name("account", contact, "json"), certificate: name("certificate", domains, "pem") }
    }

    pub(super) async fn account(&self) -> anyhow::Result<Option<Vec<u8>>> {
        read(&self.account).await
    }

    pub(super) async fn certificate(&self) -> anyhow::Result<Option<String>> {
        read(&self.certificate).await?.map(String::from_utf8).transpose().context("it is no text")
    }

    pub(super) async fn keep_account(&self, credentials: &[u8]) -> anyhow::Result<()> {
        keep(&self.account, credentials).await
    }

    pub(super) async fn keep_certificate(&self, pem: &str) -> anyhow::Result<()> {
        keep(&self.certificate, pem.as_bytes()).await
    }
}

async fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let path = path.to_path_buf();
    spawn_blocking(move || match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} can't be read", path.display())),
    })
    .await?
}

/// Whole or not at all, and for this user alone: there is a key in it.
async fn keep(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let (path, bytes) = (path.to_path_buf(), bytes.to_vec());
    spawn_blocking(move || {
        let draft = path.with_extension("new");
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().with_context(|| format!("{} can't be written", path.display()))
    })
    .await?
}
