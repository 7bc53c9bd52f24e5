//! A set of public keys (RFC 7517) that somebody else keeps, in a file or at a URL.

use std::{
    path::PathBuf,
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Url, redirect};
use serde::{Deserialize, Serialize, Serializer};
use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::key::Key;

/// How often the set is read anew.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// How often at most it is read for a key that is not in it.
const FOR_UNKNOWN: Duration = Duration::from_secs(10);
/// How long the set may take to come, and how large it may be.
const PATIENCE: Duration = Duration::from_secs(5);
const BYTES: usize = 1024 * 1024;
/// Keys that are used of one set.
const KEYS: usize = 100;

/// Where a set of keys is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// A file on this machine.
    File(PathBuf),
    /// An `https` URL, or an `http` one on this machine.
    Url(Url),
}

/// The keys of a set as of the last time that it could be read.
pub(crate) struct Jwks {
    source: JwksSource,
    client: Client,
    keys: RwLock<Arc<[Key]>>,
    /// When the set was last asked for.
    asked: Mutex<Instant>,
}

impl Jwks {
    /// Reads the set for the first time.
    ///
    /// # Errors
    /// When it can't be read or has no key that grtc can use: a server that nobody can come into does not start.
    pub(crate) async fn open(source: JwksSource) -> anyhow::Result<Self> {
        // One for all that speaks TLS in this process. Another one that was there before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A set is fetched from where it is said to be and nowhere else.
        let client = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).build();
        let client = client.context("no client for HTTPS can be made")?;
        let keys = read(&source, &client).await?;
        Ok(Self { source, client, keys: RwLock::new(keys), asked: Mutex::new(Instant::now()) })
    }

    pub(crate) fn keys(&self) -> Arc<[Key]> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the set anew, every five minutes until `stop`.
    pub(crate) async fn keep(&self, stop: CancellationToken) {
        loop {
            let next = *self.asked.lock().await + EVERY;
            tokio::select! {
                () = tokio::time::sleep_until(next) => self.renew(EVERY).await,
                () = stop.cancelled() => return,
            }
        }
    }

    /// A token names a key that is not here: the set may have it by now. Asked at most every ten seconds, however many
    /// ask.
    pub(crate) async fn look_again(&self) {
        self.renew(FOR_UNKNOWN).await;
    }

    async fn renew(&self, after: Duration) {
        let mut asked = self.asked.lock().await;
        if asked.elapsed() < after {
            return;
        }
        match read(&self.source, &self.client).await {
            Ok(keys) => *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys,
            Err(error) => warn!(error = format!("{error:#}"), "the keys of --auth-jwks stay as they were"),
        }
        *asked = Instant::now();
    }
}

async fn read(source: &JwksSource, client: &Client) -> anyhow::Result<Arc<[Key]>> {
    let bytes = match source {
        JwksSource::File(path) => tokio::fs::read(path).await.context("it can't be read")?,
        JwksSource::Url(url) => fetch(client, url.clone()).await?,
    };
    let (keys, left_out) = parse(&bytes)?;
    if left_out > 0 {
        info!(keys = keys.len(), left_out, "--auth-jwks has keys that are not for this");
    }
    Ok(keys.into())
}

async fn fetch(client: &Client, url: Url) -> anyhow::Result<Vec<u8>> {
    let mut response = client.get(url).send().await.context("it can't be fetched")?.error_for_status()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.context("it could not be fetched to its end")? {
        bytes.extend_from_slice(&chunk);
        ensure!(bytes.len() <= BYTES, "it has more than {BYTES} bytes");
    }
    Ok(bytes)
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Entry {
    kty: String,
    kid: Option<Box<str>>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// The keys of a set that check tokens, and how many of its entries are none.
///
/// # Errors
/// When it is no set, or has no key for this.
fn parse(bytes: &[u8]) -> anyhow::Result<(Vec<Key>, usize)> {
    let set: Set = serde_json::from_slice(bytes).context("it is no JSON Web Key Set")?;
    let entries = set.keys.len();
    let keys: Vec<Key> = set.keys.into_iter().filter_map(|entry| key(entry).ok()).take(KEYS).collect();
    ensure!(!keys.is_empty(), "none of its {entries} keys is an Ed25519, P-256 or RSA key for signatures");
    let left_out = entries - keys.len();
    Ok((keys, left_out))
}

fn key(entry: serde_json::Value) -> anyhow::Result<Key> {
    let entry: Entry = serde_json::from_value(entry)?;
    ensure!(entry.usage.as_deref().is_none_or(|usage| usage == "sig"), "it is not for signatures");
    let number =
        |field: &Option<String>| anyhow::Ok(URL_SAFE_NO_PAD.decode(field.as_deref().context("a part is missing")?)?);
    let key = match (entry.kty.as_str(), entry.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => Key::ed25519(&number(&entry.x)?)?,
        ("EC", Some("P-256")) => Key::p256(&[vec![4], number(&entry.x)?, number(&entry.y)?].concat())?,
        ("RSA", _) => Key::rsa(number(&entry.n)?, number(&entry.e)?)?,
        _ => bail!("its kind is not for this"),
    };
    ensure!(entry.alg.as_deref().is_none_or(|alg| alg == key.algorithm().name()), "it is for another algorithm");
    Ok(key.named(entry.kid))
}

impl FromStr for JwksSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let url: Url = text.parse().map_err(|error| format!("it is no URL: {error}"))?;
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme() {
            "https" => Ok(Self::Url(url)),
            "http" if local => Ok(Self::Url(url)),
            _ => Err("keys are fetched over https, or over http from this machine".to_owned()),
        }
    }
}

impl std::fmt::Display for JwksSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => write!(f, "{url}"),
        }
    }
}

impl Serialize for JwksSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
