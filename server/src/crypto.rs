//! The cryptography of TLS, one for the whole program.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// What TLS is built with, on both sides.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
