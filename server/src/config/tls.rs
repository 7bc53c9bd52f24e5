//! What the server is told about TLS.

use std::{net::SocketAddr, path::PathBuf};

use rustls::pki_types::DnsName;
use serde::Serialize;

use crate::listen::certificate::{CertificateError, Files};

/// The certificate, and where it comes from. Each field is the flag of the same name; without a certificate plain HTTP is spoken.
#[derive(Clone, Debug, Serialize)]
pub struct TlsConfig {
    /// The file of the certificate, in PEM, with those between it and the root behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,
    /// The file of its private key, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Names to ask an authority for a certificate for.
    pub acme_domain: Vec<String>,
    /// Whom that may write to, as `mailto:…`.
    pub acme_contact: Vec<String>,
    /// Where account and certificate are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acme_cache: Option<PathBuf>,
    /// The authority's directory (RFC 8555 section 7.1.1).
    pub acme_directory: String,
    /// Who vouches for the authority itself, where the system's do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acme_ca: Option<PathBuf>,
    /// Where to send plain HTTP to `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_listen: Option<SocketAddr>,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            tls_cert: None,
            tls_key: None,
            acme_domain: Vec::new(),
            acme_contact: Vec::new(),
            acme_cache: None,
            acme_directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            acme_ca: None,
            redirect_listen: None,
        }
    }
}

/// Why TLS can't be spoken as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate without a key, or a key without a certificate.
    #[error("--tls-cert and --tls-key go together: one without the other is of no use")]
    Half,
    /// Not a certificate that the server can show.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Two sources of one certificate.
    #[error("--tls-cert and --acme-domain: a certificate comes from a file or from an authority, not from both")]
    Both,
    /// Nowhere to keep it.
    #[error(
        "--acme-domain takes --acme-cache DIR: authorities give only so many certificates a week, so that one has to be kept \
         over a restart"
    )]
    Cache,
    /// Not a name that an authority gives a certificate for in this way.
    #[error("--acme-domain {0:?}: it takes a whole name, as grtc.example.org, not an address nor a wildcard")]
    Domain(String),
    /// Nowhere to write to.
    #[error("--acme-contact {0:?}: it takes an address as mailto:you@example.org")]
    Contact(String),
    /// Not an authority that can be asked.
    #[error("--acme-directory {0:?}: it takes a URL that begins with https://")]
    Directory(String),
    /// There is no https to send to.
    #[error("--redirect-listen sends to https, which is not spoken: it takes --tls-cert or --acme-domain")]
    Redirect,
}

impl TlsConfig {
    /// Whether an authority is asked for a certificate.
    pub(crate) fn asks(&self) -> bool {
        !self.acme_domain.is_empty()
    }

    /// The files of the certificate, if it is in some.
    ///
    /// # Errors
    /// [`TlsError::Half`].
    pub(crate) fn files(&self) -> Result<Option<Files>, TlsError> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Files { certificate: certificate.clone(), key: key.clone() })),
            _ => Err(TlsError::Half),
        }
    }

    /// # Errors
    /// The first thing that can't be, with what to do about it.
    pub(super) fn check(&self) -> Result<(), TlsError> {
        let files = self.files()?;
        if let Some(files) = &files {
            files.load()?;
        }
        if self.asks() {
            self.check_acme(files.is_some())?;
        } else if files.is_none() && self.redirect_listen.is_some() {
            return Err(TlsError::Redirect);
        }
        Ok(())
    }

    fn check_acme(&self, has_files: bool) -> Result<(), TlsError> {
        if has_files {
            return Err(TlsError::Both);
        }
        if self.acme_cache.is_none() {
            return Err(TlsError::Cache);
        }
        let is_name = |name: &str| DnsName::try_from(name).is_ok() && !name.starts_with('*');
        if let Some(domain) =
            self.acme_domain.iter().find(|domain| !is_name(domain) || domain.parse::<std::net::IpAddr>().is_ok())
        {
            return Err(TlsError::Domain(domain.clone()));
        }
        if let Some(contact) = self.acme_contact.iter().find(|contact| !contact.starts_with("mailto:")) {
            return Err(TlsError::Contact(contact.clone()));
        }
        if !self.acme_directory.starts_with("https://") {
            return Err(TlsError::Directory(self.acme_directory.clone()));
        }
        Ok(())
    }
}
