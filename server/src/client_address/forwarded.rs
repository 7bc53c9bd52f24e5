//! The hops that `Forwarded` (RFC 7239) or `X-Forwarded-For` names, from the right: each proxy adds its own at the end, and
//! what stands before may be anybody's words.
//!
//! Lists are read from the right too. So what a client puts in, a quotation mark without its pair for instance, does not
//! reach what the proxy has written after it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::{
    HeaderMap,
    header::{FORWARDED, HeaderName, HeaderValue},
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The hops, the nearest first; none for one that is no address. Nothing where neither header is there.
pub(super) fn hops(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let is_forwarded = headers.contains_key(FORWARDED);
    let lines = headers.get_all(if is_forwarded { FORWARDED } else { X_FORWARDED_FOR });
    lines.iter().rev().flat_map(elements).map(move |element| match element {
        Some(element) if is_forwarded => node(element).and_then(address),
        Some(element) => address(element),
        None => None,
    })
}

/// The elements of one line, the last one first. Empty ones are no elements (RFC 9110, section 5.6.1); one is none that can't be
/// read.
fn elements(line: &HeaderValue) -> impl Iterator<Item = Option<&str>> {
    let mut rest = Some(line.to_str().map_err(|_| ()));
    std::iter::from_fn(move || match rest.take()? {
        Ok(text) => {
            let (before, element) = last(text);
            rest = before.map(Ok);
            Some(Some(element.trim_matches([' ', '\t'])))
        }
        Err(()) => Some(None),
    })
    .filter(|element| *element != Some(""))
}

/// What stands after the last comma outside of quotation marks, and what before it.
fn last(text: &str) -> (Option<&str>, &str) {
    let bytes = text.as_bytes();
    let mut quoted = false;
    for at in (0..bytes.len()).rev() {
        match bytes.get(at) {
            Some(b'"') if !is_escaped(bytes, at) => quoted = !quoted,
            Some(b',') if !quoted => return (text.get(..at), text.get(at + 1..).unwrap_or_default()),
            _ => {}
        }
    }
    (None, text)
}

fn is_escaped(bytes: &[u8], at: usize) -> bool {
    bytes.iter().take(at).rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The value of `for` in an element, which has just one.
fn node(element: &str) -> Option<&str> {
    let mut nodes = parameters(element).filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let (node, None) = (nodes.next()?, nodes.next()) else { return None };
    match node.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None => Some(node),
    }
}

/// What semicolons outside of quotation marks separate.
fn parameters(element: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    element.split(move |letter| {
        let separates = letter == ';' && !quoted;
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        separates
    })
}

/// An address, with a port or without one. `unknown` and a name that begins with `_` are none.
fn address(node: &str) -> Option<IpAddr> {
    if let Some(rest) = node.strip_prefix('[') {
        let (ip, port) = rest.split_once(']')?;
        let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return ip.parse::<Ipv6Addr>().ok().filter(|_| is_whole).map(IpAddr::V6);
    }
    if let Ok(ip) = node.parse() {
        return Some(ip);
    }
    let (ip, port) = node.split_once(':')?;
    ip.parse::<Ipv4Addr>().ok().filter(|_| is_port(port)).map(IpAddr::V4)
}

/// A port, or the name of one that is kept secret.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
