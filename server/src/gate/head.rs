//! What is known of a request before its body is read.

use hyper::{HeaderMap, Method, Uri, http::Extensions};

/// The head of a request: what is known before its body is read.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) extensions: Extensions,
}
