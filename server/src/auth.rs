//! Who may do what: from a token to what its bearer may do (RFC 7515, 7519, 8725). What the claims say and when is pure; the
//! gate asks for every request, a session for its own renewal.

mod caller;
mod claims;
mod failures;
pub(crate) mod grants;
mod jwks;
mod jws;
pub(crate) mod key;
mod refused;
mod revoked;
pub(crate) mod signing;
#[cfg(test)]
mod tests;
mod tickets;

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub(crate) use self::{
    caller::{Bearer, Caller},
    claims::{Claims, Rules},
    failures::Failures,
    jwks::Jwks,
    jws::Token,
    refused::{Refused, Why},
    revoked::{Revocations, Revoked},
    tickets::Tickets,
};
pub use jwks::JwksSource;
pub use signing::TokenMaker;

use self::key::Key;

/// Where the keys are and what tokens are measured by. Authentication is on when there is a key.
#[derive(Clone, Debug, Serialize)]
pub struct AuthConfig {
    /// A file whose bytes are the secret of HS256.
    pub auth_secret_file: Option<PathBuf>,
    /// Files with public keys in PEM.
    pub auth_public_key: Vec<PathBuf>,
    /// A JSON Web Key Set.
    pub auth_jwks: Option<JwksSource>,
    /// Whom tokens are for.
    pub auth_audience: String,
    /// Who has to have issued them.
    pub auth_issuer: Option<String>,
    /// How long a token may be good for at most.
    #[serde(serialize_with = "crate::config::seconds")]
    pub auth_max_lifetime: Duration,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            auth_secret_file: None,
            auth_public_key: Vec::new(),
            auth_jwks: None,
            auth_audience: "grtc".to_owned(),
            auth_issuer: None,
            auth_max_lifetime: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl AuthConfig {
    /// Whether there is a key, so that nobody gets in without a token.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.auth_secret_file.is_some() || !self.auth_public_key.is_empty() || self.auth_jwks.is_some()
    }

    /// The keys that are in files.
    ///
    /// # Errors
    /// When one of them can't be used, with the flag and the file.
    pub(crate) fn keys(&self) -> anyhow::Result<Vec<Key>> {
        let mut keys = Vec::new();
        if let Some(file) = &self.auth_secret_file {
            keys.push(Key::secret_file(file).with_context(|| format!("--auth-secret-file {}", file.display()))?);
        }
        for file in &self.auth_public_key {
            keys.push(Key::public_file(file).with_context(|| format!("--auth-public-key {}", file.display()))?);
        }
        Ok(keys)
    }
}

/// Looks at tokens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Auth(Arc<Shared>);

struct Shared {
    keys: Vec<Key>,
    jwks: Option<Arc<Jwks>>,
    rules: Rules,
    revoked: RwLock<Revocations>,
    /// Changes with each revocation.
    changed: watch::Sender<()>,
    tickets: Tickets,
}

impl Auth {
    /// What `config` says, with what was revoked before.
    ///
    /// # Errors
    /// When a key can't be used.
    pub(crate) async fn open(config: &AuthConfig, revoked: Revocations) -> anyhow::Result<Self> {
        let keys = config.keys()?;
        let jwks = match &config.auth_jwks {
            Some(source) => {
                let jwks = Jwks::open(source.clone()).await.with_context(|| format!("--auth-jwks {source}"))?;
                Some(Arc::new(jwks))
            }
            None => None,
        };
        let rules = Rules {
            audience: config.auth_audience.clone(),
            issuer: config.auth_issuer.clone(),
            max_lifetime: config.auth_max_lifetime,
        };
        let revoked = RwLock::new(revoked);
        let (changed, tickets) = (watch::Sender::new(()), Tickets::default());
        Ok(Self(Arc::new(Shared { keys, jwks, rules, revoked, changed, tickets })))
    }

    /// Keeps the keys that somebody else keeps up to date, until `stop`.
    pub(crate) async fn keep(self, stop: CancellationToken) {
        match &self.0.jwks {
            Some(jwks) => jwks.keep(stop).await,
            None => stop.cancelled().await,
        }
    }

    /// The bearer of this token.
    ///
    /// # Errors
    /// What is wrong with the token.
    pub(crate) async fn caller(&self, token: &str) -> Result<Caller, Refused> {
        let token = Token::parse(token)?;
        let mut payload = self.verified(&token);
        if let (Err(_), Some(jwks), true) = (&payload, &self.0.jwks, self.is_unknown(&token)) {
            jwks.look_again().await;
            payload = self.verified(&token);
        }
        let caller = Claims::read(payload?)?.check(&self.0.rules, Timestamp::now())?;
        match self.is_revoked(&caller) {
            true => Err(Refused::invalid("it was revoked")),
            false => Ok(caller),
        }
    }

    fn verified<'t>(&self, token: &'t Token<'_>) -> Result<&'t [u8], Refused> {
        let set = self.0.jwks.as_ref().map(|jwks| jwks.keys());
        token.verified(self.0.keys.iter().chain(set.iter().flat_map(|set| set.iter())))
    }

    /// Whether the token names a key that the set does not have.
    fn is_unknown(&self, token: &Token<'_>) -> bool {
        let set = self.0.jwks.as_ref().map(|jwks| jwks.keys());
        let names = || set.iter().flat_map(|set| set.iter()).filter_map(|key| key.id.as_deref());
        token.key_id.as_deref().is_some_and(|wanted| names().all(|name| name != wanted))
    }

    /// A ticket for this caller, and when it ends.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn ticket(&self, caller: Arc<Caller>) -> Result<(String, Timestamp), getrandom::Error> {
        self.0.tickets.issue(caller, Timestamp::now())
    }

    /// Whom a ticket stands for, who may have been revoked or have run out of time since.
    ///
    /// # Errors
    /// When it is none, or was shown before.
    pub(crate) fn by_ticket(&self, ticket: &str) -> Result<Arc<Caller>, Refused> {
        let now = Timestamp::now();
        let caller = self.0.tickets.take(ticket, now);
        let caller = caller.ok_or_else(|| {
            Refused::new(
                Why::Invalid,
                "the ticket can't be used: it is good once and for 30 s; POST /api/tickets gives another",
            )
        })?;
        match (caller.expires_at <= now, self.is_revoked(&caller)) {
            (true, _) => Err(Refused::expired()),
            (_, true) => Err(Refused::invalid("it was revoked")),
            _ => Ok(caller),
        }
    }

    /// Whether this caller's token is dead by now.
    pub(crate) fn is_revoked(&self, caller: &Caller) -> bool {
        self.0.revoked.read().unwrap_or_else(PoisonError::into_inner).include(caller)
    }

    /// Revokes what was issued up to `at`.
    pub(crate) fn revoke(&self, what: Revoked, at: Timestamp) {
        let mut revoked = self.0.revoked.write().unwrap_or_else(PoisonError::into_inner);
        match at.checked_sub(self.0.rules.max_lifetime) {
            Ok(time) => revoked.forget_before(time.saturating_sub(claims::LEEWAY).unwrap_or(time)),
            Err(error) => warn!(%error, "nothing is forgotten of what was revoked"),
        }
        revoked.add(what, at);
        drop(revoked);
        self.0.changed.send_replace(());
    }

    /// Waits until this caller's token has ended or was revoked.
    pub(crate) async fn ended(self, caller: Arc<Caller>) {
        let mut changed = self.0.changed.subscribe();
        while !self.is_revoked(&caller) {
            let wait = caller.next_look(Timestamp::now());
            if wait.is_zero() {
                return;
            }
            let _ = tokio::time::timeout(wait, changed.changed()).await;
        }
    }
}
