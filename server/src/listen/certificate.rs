//! The certificate that the server shows, and the files that it comes from.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::Context;
use jiff::Timestamp;
use rustls::{
    Error, InconsistentKeys,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use x509_parser::time::ASN1Time;

use crate::crypto::provider;

/// The certificate that is shown to who connects now. Changing it costs no connection anything.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    /// None until an authority has given the first.
    shown: RwLock<Option<Arc<CertifiedKey>>>,
    /// What proves to an authority that a name leads here, while it looks.
    proofs: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

/// The protocol of an authority that looks (RFC 8737 section 6.2).
pub(crate) const ACME_PROTOCOL: &[u8] = b"acme-tls/1";

impl Certificates {
    /// From now on this one is shown.
    pub(crate) fn show(&self, certificate: CertifiedKey) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(certificate));
    }

    /// An authority that looks whether this name leads here is shown this one.
    pub(crate) fn prove(&self, name: String, proof: CertifiedKey) {
        self.proofs.write().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(proof));
    }

    /// No authority looks any more.
    pub(crate) fn end_proofs(&self) {
        self.proofs.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == ACME_PROTOCOL)) {
            return self.proofs.read().unwrap_or_else(PoisonError::into_inner).get(hello.server_name()?).cloned();
        }
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where a certificate comes from: `--tls-cert` and `--tls-key`.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What stands in the files.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Texts {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Why there is no certificate in the files.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file can't be read.
    #[error("{flag} {path:?} can't be read: {source}")]
    Unreadable {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is none in the file.
    #[error(
        "--tls-cert {0:?}: there is no certificate in it. It takes PEM: the server's certificate first, then those between it \
         and the root"
    )]
    NoCertificate(PathBuf),
    /// There is no key in the file.
    #[error("--tls-key {0:?}: there is no private key in it. It takes PEM, as `openssl genpkey` writes it")]
    NoKey(PathBuf),
    /// The key can't be read without a passphrase.
    #[error(
        "--tls-key {0:?} is encrypted, and nobody is asked for its passphrase: `openssl pkey -in {0:?} -out FILE` writes it \
         without one"
    )]
    Encrypted(PathBuf),
    /// The key is another certificate's.
    #[error("--tls-cert {certificate:?} and --tls-key {key:?} don't belong together: the key is another certificate's")]
    Mismatch {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
    /// TLS can't be spoken with them.
    #[error("--tls-cert {certificate:?} with --tls-key {key:?} can't be used: {source}")]
    Unusable {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// Why not.
        source: Error,
    },
}

impl Files {
    /// Reads and understands both.
    ///
    /// # Errors
    /// What is wrong with them, and what to do about it.
    pub(crate) fn load(&self) -> Result<CertifiedKey, CertificateError> {
        self.parse(&self.read()?)
    }

    /// Reads both.
    ///
    /// # Errors
    /// [`CertificateError::Unreadable`].
    pub(crate) fn read(&self) -> Result<Texts, CertificateError> {
        let read = |flag, path: &Path| {
            let path = path.to_path_buf();
            fs::read(&path).map_err(|source| CertificateError::Unreadable { flag, path, source })
        };
        Ok(Texts { certificate: read("--tls-cert", &self.certificate)?, key: read("--tls-key", &self.key)? })
    }

    /// Understands what stands in both.
    ///
    /// # Errors
    /// All but [`CertificateError::Unreadable`].
    pub(crate) fn parse(&self, texts: &Texts) -> Result<CertifiedKey, CertificateError> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(&texts.certificate).collect::<Result<_, _>>().unwrap_or_default();
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate(self.certificate.clone()));
        }
        let key = PrivateKeyDer::from_pem_slice(&texts.key).map_err(|_| match is_encrypted(&texts.key) {
            true => CertificateError::Encrypted(self.key.clone()),
            false => CertificateError::NoKey(self.key.clone()),
        })?;
        CertifiedKey::from_der(chain, key, &provider()).map_err(|source| {
            let (certificate, key) = (self.certificate.clone(), self.key.clone());
            match source {
                Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    CertificateError::Mismatch { certificate, key }
                }
                // RFC 1421's way to say it, around a key of RFC 8017's form.
                _ if is_encrypted(&texts.key) => CertificateError::Encrypted(key),
                source => CertificateError::Unusable { certificate, key, source },
            }
        })
    }
}

/// A certificate and its key in one text, as an authority's are kept; and from when until when it is good.
///
/// # Errors
/// When there is none, or it can't be used.
pub(crate) fn of_pem(text: &[u8]) -> anyhow::Result<(CertifiedKey, Timestamp, Timestamp)> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>()?;
    let (from, until) = validity(chain.first().context("there is no certificate")?)?;
    let key = PrivateKeyDer::from_pem_slice(text)?;
    Ok((CertifiedKey::from_der(chain, key, &provider())?, from, until))
}

/// From when until when a certificate is good (RFC 5280 section 4.1.2.5).
///
/// # Errors
/// When that can't be read.
pub(crate) fn validity(certificate: &CertificateDer<'_>) -> anyhow::Result<(Timestamp, Timestamp)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)?;
    let validity = parsed.validity();
    let time = |time: &ASN1Time| Timestamp::from_second(time.timestamp());
    Ok((time(&validity.not_before)?, time(&validity.not_after)?))
}

/// Until when what is shown is good, if that can be read.
pub(crate) fn until(shown: &CertifiedKey) -> Option<Timestamp> {
    shown.cert.first().and_then(|first| validity(first).ok()).map(|(_, until)| until)
}

fn is_encrypted(key: &[u8]) -> bool {
    key.windows(b"ENCRYPTED".len()).any(|word| word == b"ENCRYPTED")
}

#[cfg(test)]
mod tests;
