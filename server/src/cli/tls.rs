//! The options that TLS has.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::listen;
use crate::config::TlsConfig;

/// TLS, and where its certificate comes from.
#[derive(Clone, Debug, Args)]
pub(super) struct TlsArgs {
    /// Speak TLS with this certificate (PEM: the server's own first, then those between it and the root), and with --tls-key; a
    /// change is picked up within 10 s
    #[arg(long, env = "GRTC_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM, without a passphrase)
    #[arg(long, env = "GRTC_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Speak TLS with a certificate for this name that an authority gives (ACME), which connects to port 443 of the name to
    /// see that it leads here; repeatable. With --acme-cache; it agrees to the authority's terms of service
    #[arg(long, env = "GRTC_ACME_DOMAIN", value_name = "NAME", value_delimiter = ',')]
    acme_domain: Vec<String>,
    /// Whom the authority may write to, as mailto:you@example.org; repeatable
    #[arg(long, env = "GRTC_ACME_CONTACT", value_name = "URL", value_delimiter = ',')]
    acme_contact: Vec<String>,
    /// Where the account and the certificate are kept over a restart
    #[arg(long, env = "GRTC_ACME_CACHE", value_name = "DIR")]
    acme_cache: Option<PathBuf>,
    /// The authority
    #[arg(long, env = "GRTC_ACME_DIRECTORY", value_name = "URL", default_value_t = TlsConfig::default().acme_directory)]
    acme_directory: String,
    /// Believe that it is the authority if one in this file (PEM) vouches for it, instead of the system's: for a private one
    #[arg(long, env = "GRTC_ACME_CA", value_name = "FILE")]
    acme_ca: Option<PathBuf>,
    /// Send whoever asks here in plain HTTP to the same place under https, as 0.0.0.0:80
    #[arg(long, env = "GRTC_REDIRECT_LISTEN", value_parser = listen::address, value_name = "ADDRESS")]
    redirect_listen: Option<SocketAddr>,
}

impl From<TlsArgs> for TlsConfig {
    fn from(args: TlsArgs) -> Self {
        Self {
            tls_cert: args.tls_cert,
            tls_key: args.tls_key,
            acme_domain: args.acme_domain,
            acme_contact: args.acme_contact,
            acme_cache: args.acme_cache,
            acme_directory: args.acme_directory,
            acme_ca: args.acme_ca,
            redirect_listen: args.redirect_listen,
        }
    }
}
