//! Where the certificate comes from, and what keeps it fresh.

use std::sync::Arc;

use anyhow::Context;
use futures_util::future::BoxFuture;
use tracing::info;

use super::{
    acme::Acme,
    certificate::{Certificates, Files, until},
    follow::follow,
    tls::Tls,
};
use crate::{config::Config, roots};

/// Where the certificate comes from.
pub(crate) enum Source {
    /// Somebody else puts it into files.
    Files(Files),
    /// An authority gives it.
    Acme(Acme),
}

/// TLS, and what has to run beside it for ever.
pub(crate) type Opened = (Tls, BoxFuture<'static, ()>);

impl Source {
    /// The one that the configuration names, if it is to speak TLS.
    ///
    /// # Errors
    /// When it can't be.
    pub(crate) fn of(config: &Config) -> anyhow::Result<Option<Self>> {
        if let Some(files) = config.tls.files()? {
            return Ok(Some(Self::Files(files)));
        }
        let Some((cache, tls)) = config.tls.acme_cache.clone().zip(config.tls.asks().then_some(&config.tls)) else {
            return Ok(None);
        };
        std::fs::create_dir_all(&cache).with_context(|| format!("--acme-cache {cache:?} can't be made"))?;
        Ok(Some(Self::Acme(Acme {
            domains: tls.acme_domain.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            contact: tls.acme_contact.clone(),
            cache,
            directory: tls.acme_directory.clone(),
            trust: roots::client(tls.acme_ca.as_deref()).context("--acme-ca")?,
        })))
    }

    /// Makes TLS of it.
    ///
    /// # Errors
    /// When there is no certificate in the files that can be shown.
    pub(crate) fn open(self) -> anyhow::Result<Opened> {
        let certificates = Arc::new(Certificates::default());
        match self {
            Self::Files(files) => {
                let certificate = files.load()?;
                if let Some(until) = until(&certificate) {
                    info!(certificate.until = %until, "a certificate is shown");
                }
                certificates.show(certificate);
                Ok((Tls::new(certificates.clone(), false)?, Box::pin(follow(files, certificates))))
            }
            Self::Acme(acme) => Ok((Tls::new(certificates.clone(), true)?, Box::pin(acme.keep(certificates)))),
        }
    }
}
