//! Whom the server believes where it is a client itself: asking another one for its health, or an authority for a certificate.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use reqwest::{Client, Url, redirect};
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

/// What sends requests to `url`, and to nowhere else: it follows no redirect and takes no proxy. An answer has `patience` to come.
///
/// # Errors
/// When there is nobody to vouch for a server that is asked over https.
pub(crate) fn requests(url: &Url, patience: Duration) -> anyhow::Result<Client> {
    let tls = match url.scheme() {
        "https" => client(None)?.as_ref().clone(),
        _ => believing(RootCertStore::empty())?,
    };
    let builder = Client::builder().tls_backend_preconfigured(tls).timeout(patience);
    let builder = builder.redirect(redirect::Policy::none()).no_proxy();
    let builder = builder.user_agent(concat!("grtc-server/", env!("CARGO_PKG_VERSION")));
    builder.build().context("no client for HTTP can be made")
}

/// A client that believes these authorities.
///
/// # Errors
/// When the cryptography does not have what TLS takes.
pub(crate) fn believing(roots: RootCertStore) -> anyhow::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
