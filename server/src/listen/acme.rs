//! Certificates from an authority that gives them to whoever shows that a name leads here (ACME, RFC 8555), by TLS-ALPN-01
//! (RFC 8737): the authority connects to port 443 of the name, and is shown a certificate with what it had asked for.

mod ask;
mod cache;
mod order;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use instant_acme::{Account, AccountCredentials, NewAccount};
use jiff::Timestamp;
use rustls::ClientConfig;
use tokio::time::sleep;
use tracing::{info, warn};

use self::{ask::Ask, cache::Cache};
use super::certificate::{Certificates, of_pem};

/// Between two looks at whether a certificate is due. The clock of the wall says it, which may jump.
const LOOK: Duration = Duration::from_secs(10 * 60);
/// The first wait after a try that failed; it doubles each time. Authorities count failures: Let's Encrypt takes five an hour.
const RETRY_FIRST: Duration = Duration::from_secs(60);
const RETRY_LAST: Duration = Duration::from_secs(4 * 60 * 60);

/// What certificates are asked for, and of whom.
#[derive(Clone, Debug)]
pub(crate) struct Acme {
    /// The names that lead here.
    pub(crate) domains: Vec<String>,
    /// Whom the authority may write to, as `mailto:…`.
    pub(crate) contact: Vec<String>,
    /// Where the account and the certificate are kept.
    pub(crate) cache: PathBuf,
    /// The authority.
    pub(crate) directory: String,
    /// Whom to believe that it is the authority.
    pub(crate) trust: Arc<ClientConfig>,
}

/// From when until when a certificate is good.
#[derive(Clone, Copy)]
struct Life {
    from: Timestamp,
    until: Timestamp,
}

impl Acme {
    /// Asks for certificates for ever, each before the one before has ended, and shows them.
    pub(crate) async fn keep(self, certificates: Arc<Certificates>) {
        let cache = Cache::new(&self.cache, &self.directory, &self.contact, &self.domains);
        let kept = cache.certificate().await;
        let shown = kept.and_then(|kept| kept.map(|pem| self.show(&pem, &certificates)).transpose());
        let mut current = match shown {
            Ok(life) => life,
            Err(error) => {
                warn!(error = format!("{error:#}"), "the certificate that was kept is of no use; asking for another");
                None
            }
        };
        let mut wait = RETRY_FIRST;
        loop {
            if current.is_some_and(|life: Life| !life.is_due(Timestamp::now())) {
                sleep(LOOK).await;
                continue;
            }
            info!(acme.directory = self.directory, acme.domains = self.domains.join(","), "asking for a certificate");
            match self.renew(&cache, &certificates).await {
                Ok(life) => (current, wait) = (Some(life), RETRY_FIRST),
                Err(error) => {
                    let error = format!("{error:#}");
                    warn!(error, retry_s = wait.as_secs(), "no certificate was given; trying again");
                    sleep(wait).await;
                    wait = (wait * 2).min(RETRY_LAST);
                }
            }
        }
    }

    async fn renew(&self, cache: &Cache, certificates: &Certificates) -> anyhow::Result<Life> {
        let account = self.account(cache).await.context("no account")?;
        let pem = order::certificate(&account, &self.domains, certificates).await?;
        if let Err(error) = cache.keep_certificate(&pem).await {
            warn!(error = format!("{error:#}"), "the certificate can't be kept for the next start");
        }
        self.show(&pem, certificates)
    }

    /// The account that is kept, or a new one.
    async fn account(&self, cache: &Cache) -> anyhow::Result<Account> {
        let builder = || Account::builder_with_http(Box::new(Ask(self.trust.clone())));
        if let Some(kept) = cache.account().await? {
            let credentials: AccountCredentials =
                serde_json::from_slice(&kept).context("the one that is kept can't be read")?;
            return Ok(builder().from_credentials(credentials).await?);
        }
        let contact: Vec<&str> = self.contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder().create(&new, self.directory.clone(), None).await?;
        cache.keep_account(&serde_json::to_vec(&credentials)?).await?;
        Ok(account)
    }

    fn show(&self, pem: &str, certificates: &Certificates) -> anyhow::Result<Life> {
        let (certificate, from, until) = of_pem(pem.as_bytes()).context("it can't be used")?;
        certificates.show(certificate);
        info!(certificate.until = %until, acme.domains = self.domains.join(","), "a certificate is shown");
        Ok(Life { from, until })
    }
}

impl Life {
    /// Whether it is time for the next one: two thirds of it are over.
    fn is_due(self, now: Timestamp) -> bool {
        let life = self.until.duration_since(self.from);
        now.duration_since(self.from) >= life / 3 * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_asked_for_when_a_third_is_left() {
        let day = |n: i64| Timestamp::from_second(n * 86_400).unwrap();
        let life = Life { from: day(100), until: day(190) };
        for (now, due) in [(99, false), (100, false), (159, false), (160, true), (189, true), (500, true)] {
            assert_eq!(life.is_due(day(now)), due, "{now}");
        }
    }
}
