//! Whom the server believes where it is a client itself: asking another one for its health, or an authority for a certificate.

use std::{path::Path, sync::Arc};

use anyhow::{Context, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::crypto::provider;

/// A client that believes the authorities in this file (PEM), or those of the system.
///
/// # Errors
/// When there are none.
pub(crate) fn client(ca: Option<&Path>) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            let mut read = || {
                for certificate in CertificateDer::pem_file_iter(path)? {
                    roots.add(certificate?)?;
                }
                ensure!(!roots.is_empty(), "there is no certificate in it");
                Ok(())
            };
            read().with_context(|| format!("the authorities in {} can't be used", path.display()))?;
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            ensure!(
                !roots.is_empty(),
                "this system trusts no authority: install ca-certificates, or name one in a file"
            );
        }
    }
    believing(roots).map(Arc::new)
}

/// A client that believes these authorities.
///
/// # Errors
/// When the cryptography does not have what TLS takes.
pub(crate) fn believing(roots: RootCertStore) -> anyhow::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
