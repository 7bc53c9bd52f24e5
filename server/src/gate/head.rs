//! What is known of a request before its body is read.

use hyper::{HeaderMap, Method, Uri, header::HOST, http::Extensions};

/// The head of a request: what is known before its body is read.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) extensions: Extensions,
}

impl Head {
    /// The host that it is for, with its port if one is named.
    pub(crate) fn host(&self) -> Option<&str> {
        let named = || self.headers.get(HOST).and_then(|host| host.to_str().ok());
        self.uri.authority().map(|authority| authority.as_str()).or_else(named)
    }
}
