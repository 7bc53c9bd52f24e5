//! What the server is told about the webhook.

use std::{convert::Infallible, fmt, fs, path::PathBuf, str::FromStr};

use anyhow::Context as _;
use reqwest::Url;
use ring::hmac;
use serde::Serialize;

use crate::auth::key;

/// Where jobs are delivered, and the secret that signs what is. Each field is the flag of the same name; both or none.
#[derive(Clone, Debug, Default, Serialize)]
pub struct WebhookConfig {
    /// An `http` or `https` URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<WebhookUrl>,
    /// A file whose bytes, without a final line feed, are the secret: 32 at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret_file: Option<PathBuf>,
}

/// A URL as it was given, which is looked at by [`Config::check`](super::Config::check) only. It may have a password or a token
/// in it: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WebhookUrl(String);

/// Why nothing can be delivered as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// A URL without a secret, or a secret without a URL.
    #[error(
        "--webhook-url and --webhook-secret-file go together: what is delivered is signed; `grtc-server token key --out FILE` \
         makes a secret"
    )]
    Half,
    /// Not a URL that can be delivered to.
    #[error("--webhook-url takes a URL as https://hooks.example.org/grtc, and what it was given is none: {0}")]
    Url(String),
    /// Not a secret that is good enough.
    #[error("--webhook-secret-file {}: {error:#}", file.display())]
    Secret {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: anyhow::Error,
    },
}

/// A webhook that can be delivered to.
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) key: hmac::Key,
}

impl WebhookConfig {
    /// The webhook, if there is one.
    ///
    /// # Errors
    /// What can't be, with what to do about it. It repeats nothing of the URL.
    pub(crate) fn target(&self) -> Result<Option<Target>, WebhookError> {
        match (&self.webhook_url, &self.webhook_secret_file) {
            (None, None) => Ok(None),
            (Some(url), Some(file)) => {
                let url = url.parse()?;
                let secret = fs::read(file).context("it can't be read").and_then(|bytes| key::secret(&bytes));
                let key = secret.map_err(|error| WebhookError::Secret { file: file.clone(), error })?;
                Ok(Some(Target { url, key }))
            }
            _ => Err(WebhookError::Half),
        }
    }
}

impl WebhookUrl {
    fn parse(&self) -> Result<Url, WebhookError> {
        let url = Url::parse(&self.0).map_err(|error| WebhookError::Url(error.to_string()))?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            _ => Err(WebhookError::Url("it begins with neither http:// nor https://".to_owned())),
        }
    }
}

impl FromStr for WebhookUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl(…)")
    }
}
