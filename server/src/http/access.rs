//! Which browsers may come in: by `Origin` (RFC 6454), and by `Host` while the server listens on loopback alone.
//!
//! The same rule holds for pages that read the API (CORS) and for pages that open a WebSocket, which browsers let
//! through from anywhere. A client that is no browser sends no `Origin`.

use std::{fmt, net::IpAddr, str::FromStr};

use hyper::{
    HeaderMap, Method, Request, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderName,
        HeaderValue, ORIGIN, VARY,
    },
    http::uri::Authority,
};
use warp::reply::Response;

use crate::error::ApiError;

/// An origin: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// A text that names no origin.
#[derive(Debug, thiserror::Error)]
#[error("an origin is a scheme, a host and maybe a port, as https://app.example.org or http://localhost:3000")]
pub struct InvalidOrigin;

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidOrigin)?;
        let default = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(InvalidOrigin),
        };
        let (host, port) = host_and_port(rest).ok_or(InvalidOrigin)?;
        Ok(Self { scheme: scheme.to_owned(), host, port: port.unwrap_or(default) })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match (self.scheme.as_str(), self.port) {
            ("http", 80) | ("https", 443) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

impl Origin {
    /// Whether this is where `host`, a `Host` header, leads to. Behind a proxy that ends TLS the scheme is not known.
    fn is_at(&self, host: &str) -> bool {
        let Some((name, port)) = host_and_port(host) else { return false };
        let default = if self.scheme == "https" { 443 } else { 80 };
        name == self.host && port.unwrap_or(default) == self.port
    }
}

/// Host (in lower case) and port of an authority without user information.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let authority: Authority = text.parse().ok()?;
    let host = authority.host();
    let port = authority.port().map(|port| port.as_str().parse::<u16>());
    let plain = text.strip_prefix(host)?;
    match port {
        None if plain.is_empty() => Some((host.to_ascii_lowercase(), None)),
        Some(Ok(port)) => Some((host.to_ascii_lowercase(), Some(port))),
        _ => None,
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Who may come in.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    allowed: Vec<Origin>,
    /// The server listens on loopback alone.
    loopback: bool,
}

impl Access {
    pub(crate) fn new(allowed: Vec<Origin>, loopback: bool) -> Self {
        Self { allowed, loopback }
    }

    /// Checks a request before anything else does. A CORS preflight is answered here.
    ///
    /// # Errors
    /// The answer, when the request goes no further.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), Box<Response>> {
        let headers = request.headers();
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let local = || host.and_then(host_and_port).is_some_and(|(host, _)| is_loopback(&host));
        if self.loopback && !local() {
            let text = "this server listens on loopback alone and answers to loopback names alone, as 127.0.0.1";
            return Err(Box::new(ApiError::new(StatusCode::FORBIDDEN, "host_not_allowed", text).response()));
        }
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        if !self.lets_in(origin, host) {
            let text = "this origin is not allowed; the server's --allow-origin says which are";
            return Err(Box::new(ApiError::new(StatusCode::FORBIDDEN, "origin_not_allowed", text).response()));
        }
        if request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return Err(Box::new(preflight(origin)));
        }
        Ok(())
    }

    fn lets_in(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let Some(origin) = origin.to_str().ok().and_then(|text| text.parse::<Origin>().ok()) else { return false };
        host.is_some_and(|host| origin.is_at(host))
            || self.allowed.contains(&origin)
            || (self.loopback && is_loopback(&origin.host))
    }
}

/// Lets the page that asked read the answer. The origin was let in before.
pub(crate) fn allow_reading(origin: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("origin"));
    const EXPOSED: HeaderValue = HeaderValue::from_static("etag, location, retry-after, x-request-id, x-total-count");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

fn preflight(origin: &HeaderValue) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    allow_reading(origin.clone(), response.headers_mut());
    let say: [(HeaderName, &str); 3] = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type, idempotency-key, if-match, if-none-match, last-event-id"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in say {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lets_in(access: &Access, origin: &str, host: &str) -> bool {
        let request = Request::get("/").header(ORIGIN, origin).header(HOST, host).body(()).unwrap();
        access.check(&request).is_ok()
    }

    fn open() -> Access {
        Access::new(vec!["https://app.example.org".parse().unwrap()], false)
    }

    #[test]
    fn the_same_host_and_the_allowed_origins_come_in() {
        for (origin, host) in [
            ("http://grtc.example.org", "grtc.example.org"),
            ("https://grtc.example.org", "grtc.example.org"),
            ("http://grtc.example.org:8001", "grtc.example.org:8001"),
            ("http://GRTC.example.org", "grtc.Example.org:80"),
            ("http://[2001:db8::1]:8001", "[2001:db8::1]:8001"),
            ("https://app.example.org", "grtc.example.org"),
            ("https://app.example.org:443", "grtc.example.org"),
        ] {
            assert!(lets_in(&open(), origin, host), "{origin} at {host}");
        }
    }

    #[test]
    fn nobody_else_does() {
        for origin in [
            "null",
            "",
            "https://good.evil.com",
            "https://app.example.org.evil.com",
            "https://evilapp.example.org",
            "http://app.example.org",
            "https://app.example.org:8443",
            "https://grtc.example.org:8001",
            "https://user@app.example.org",
            "https://app.example.org@evil.com",
            "file://",
            "chrome-extension://abcdef",
            "http://localhost",
            "https://app.example.org/",
            "https://app.example.org:99999",
        ] {
            assert!(!lets_in(&open(), origin, "grtc.example.org"), "{origin}");
        }
    }

    #[test]
    fn on_loopback_any_loopback_origin_comes_in_but_no_foreign_host() {
        let access = Access::new(Vec::new(), true);
        for origin in ["http://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:9", "http://127.8.8.8"] {
            assert!(lets_in(&access, origin, "127.0.0.1:8001"), "{origin}");
        }
        assert!(!lets_in(&access, "http://evil.com", "127.0.0.1:8001"));
        assert!(!lets_in(&access, "http://evil.com", "evil.com"));
        assert!(!lets_in(&access, "http://localhost.evil.com", "127.0.0.1"));
        let rebound = Request::get("/").header(HOST, "evil.com:8001").body(()).unwrap();
        assert_eq!(access.check(&rebound).unwrap_err().status(), StatusCode::FORBIDDEN);
        let nameless = Request::get("/").body(()).unwrap();
        assert!(access.check(&nameless).is_err());
    }
}
