//! Who may vouch for a server, and what a person is told of one for which nobody does.

use std::{io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, Error, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
};
use tokio::{sync::OnceCell, task::spawn_blocking};

/// The authorities that may vouch for a server that speaks TLS: the system's, unless others are named.
#[derive(Clone, Debug, Default)]
pub struct Roots(Option<Arc<ClientConfig>>);

/// Why a text names no authorities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRoots {
    /// There is none in it.
    #[error("there is no certificate in it: it takes PEM, as -----BEGIN CERTIFICATE-----")]
    Empty,
    /// One of them is none.
    #[error("a certificate in it can't be used: {0}")]
    Unusable(String),
}

/// The system's, read once for all links of the process.
static SYSTEM: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();

impl Roots {
    /// The certificates in this text (PEM), and none of the system's. One that signs itself, of the server alone, will do.
    ///
    /// # Errors
    /// When there is none, or one that can't be understood.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidRoots> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| InvalidRoots::Unusable(error.to_string()))?;
            store.add(certificate).map_err(|error| InvalidRoots::Unusable(error.to_string()))?;
        }
        if store.is_empty() {
            return Err(InvalidRoots::Empty);
        }
        let config = config(store).map_err(|error| InvalidRoots::Unusable(error.to_string()))?;
        Ok(Self(Some(Arc::new(config))))
    }

    /// What links are opened with. The sentence says why there is nothing.
    pub(super) async fn config(&self) -> Result<Arc<ClientConfig>, String> {
        match &self.0 {
            Some(config) => Ok(config.clone()),
            None => SYSTEM.get_or_try_init(system).await.cloned(),
        }
    }
}

async fn system() -> Result<Arc<ClientConfig>, String> {
    let found = spawn_blocking(rustls_native_certs::load_native_certs).await.map_err(|error| error.to_string())?;
    let mut store = RootCertStore::empty();
    let (usable, _) = store.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!(
            "this system trusts no authority that could vouch for it{why}: install ca-certificates, or name one with --ca FILE"
        ));
    }
    config(store).map(Arc::new).map_err(|error| error.to_string())
}

fn config(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let mut config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What is wrong with a server's TLS, if it is that, and what to do: the rest of a sentence that begins with the server.
pub(super) fn distrust(error: &io::Error, roots: &Roots) -> Option<String> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(why) => Some(format!("is not trusted: {}", fault(why, roots))),
        Error::InvalidMessage(_) => Some("does not speak TLS: try ws:// instead of wss://".to_owned()),
        _ => None,
    }
}

fn fault(why: &CertificateError, roots: &Roots) -> String {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
    };
    match why {
        // The name of an authority that is believed may be another one's as well.
        UnknownIssuer | BadSignature if roots.0.is_none() => {
            "none of the authorities of this system vouches for it. --ca FILE (or GRTC_CA) \
                                               names one of your own"
                .to_owned()
        }
        UnknownIssuer | BadSignature => "none of the authorities in --ca vouches for it".to_owned(),
        NotValidForNameContext { expected, presented } => format!(
            "its certificate is for {}, not for {}: --server takes a name that stands in it",
            presented.join(", "),
            expected.to_str()
        ),
        NotValidForName => "its certificate is for another name: --server takes one that stands in it".to_owned(),
        ExpiredContext { not_after, .. } => format!("its certificate has expired on {}", day(*not_after)),
        Expired => "its certificate has expired".to_owned(),
        NotValidYetContext { not_before, .. } => {
            format!("its certificate begins on {}; is this machine's clock right?", day(*not_before))
        }
        NotValidYet => "its certificate has not begun; is this machine's clock right?".to_owned(),
        // webpki's word for a server that shows what may only sign other certificates.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is one of an authority, which no server may show: make one with basicConstraints=CA:FALSE"
                .to_owned()
        }
        other => format!("its certificate can't be used: {other}"),
    }
}

fn day(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(|| "an unknown day".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_names_no_authority() {
        assert_eq!(Roots::from_pem(b"words").unwrap_err(), InvalidRoots::Empty);
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Roots::from_pem(broken), Err(InvalidRoots::Unusable(_))));
        let cut = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(Roots::from_pem(cut).is_err());
    }
}
