//! What `--listen` takes, and what it says to what it does not.

use std::net::{IpAddr, SocketAddr};

/// An address with its port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{}, as 127.0.0.1:8001 or [::1]:8001", mistake(text)))
}

const ANY: &str = "127.0.0.1 is this machine alone, 0.0.0.0 or [::] all that reach it";

fn mistake(text: &str) -> String {
    let is_address = |host: &str| host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    if is_address(text) {
        return "the port is missing".to_owned();
    }
    let Some((host, port)) = text.rsplit_once(':') else { return format!("the address or the port is missing: {ANY}") };
    if host.is_empty() || host == "*" {
        return format!("the address before the port is missing: {ANY}");
    }
    if (host == "localhost" || is_address(host)) && port.parse::<u16>().is_err() {
        return format!("{port:?} is no port: they go from 0, which takes a free one, to 65535");
    }
    if host.matches(':').count() > 1 {
        return "an IPv6 address stands in brackets before its port".to_owned();
    }
    format!("it takes an address in numbers and a port, not a name or a URL: {ANY}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_and_what_to_write() {
        for (text, said) in [
            (":8001", "127.0.0.1 is this machine alone"),
            ("*:8001", "127.0.0.1 is this machine alone"),
            ("8001", "the address or the port is missing"),
            ("127.0.0.1", "the port is missing"),
            ("[::1]", "the port is missing"),
            ("::", "the port is missing"),
            ("localhost", "127.0.0.1"),
            ("localhost:8001", "127.0.0.1 is this machine"),
            ("example.org:80", "not a name"),
            ("http://127.0.0.1:8001", "not a name or a URL"),
            ("127.0.0.1:", "is no port"),
            ("127.0.0.1:http", "is no port"),
            ("127.0.0.1:99999", "65535"),
            ("fe80::1%eth0:8001", "brackets"),
        ] {
            let error = address(text).unwrap_err();
            assert!(error.contains(said) && error.contains("as 127.0.0.1:8001"), "{text}: {error}");
        }
        assert_eq!(address("[::1]:0").unwrap().port(), 0);
    }
}
