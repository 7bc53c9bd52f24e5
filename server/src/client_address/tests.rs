//! Who is believed, and what.

use std::net::SocketAddr;

use hyper::header::{FORWARDED, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

fn proxies() -> Proxies {
    let trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8", "::ffff:172.16.0.0/108"];
    Proxies::new(trusted.map(|network| network.parse().unwrap()).to_vec(), false)
}

fn remote(ip: &str) -> Remote {
    Remote::new(SocketAddr::new(ip.parse().unwrap(), 1))
}

fn counted(ip: &str) -> Address {
    Address::counted(ip.parse().unwrap())
}

fn headers(name: &HeaderName, lines: &[&[u8]]) -> HeaderMap {
    lines.iter().fold(HeaderMap::new(), |mut all, line| {
        all.append(name, HeaderValue::from_bytes(line).unwrap());
        all
    })
}

/// Whom a proxy at 10.0.0.1 names.
fn named(name: &HeaderName, lines: &[&[u8]]) -> Address {
    proxies().client(remote("10.0.0.1"), &headers(name, lines))
}

#[test]
fn an_address_is_one_of_ipv4_or_64_bits_of_ipv6() {
    assert_eq!(counted("::ffff:192.0.2.7"), counted("192.0.2.7"));
    assert_ne!(counted("192.0.2.7"), counted("192.0.2.8"));
    assert_eq!(counted("2001:db8:1:2::3"), counted("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_ne!(counted("2001:db8:1:2::3"), counted("2001:db8:1:3::3"));
    assert_eq!(format!("{:?}", counted("192.0.2.7")), "remote");
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    let forged = headers(&X_FORWARDED_FOR, &[b"198.51.100.1"]);
    let client = |ip| proxies().client(remote(ip), &forged);
    assert_eq!(client("192.0.2.7"), counted("192.0.2.7"));
    assert_eq!(Proxies::default().client(remote("127.0.0.1"), &forged), Address::Loopback);
    for proxy in ["10.0.0.1", "10.255.255.255", "::ffff:10.0.0.1", "127.0.0.1", "fd00::1", "172.16.9.9"] {
        assert_eq!(client(proxy), counted("198.51.100.1"), "{proxy}");
    }
    assert_eq!(client("172.32.0.1"), counted("172.32.0.1"));
}

#[test]
fn this_machine_is_exempt_and_whoever_claims_to_be_it_is_not() {
    let nothing = HeaderMap::new();
    for ip in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(proxies().client(remote(ip), &nothing), Address::Loopback, "{ip}");
    }
    let claim = |from, text: &[u8]| proxies().client(remote(from), &headers(&X_FORWARDED_FOR, &[text]));
    assert_eq!(claim("127.0.0.1", b"127.0.0.1"), Address::Loopback);
    assert_eq!(claim("10.0.0.1", b"127.0.0.2"), counted("127.0.0.2"));
    assert_eq!(claim("10.0.0.1", b"127.0.0.1"), counted("127.0.0.1"));
    assert_eq!(claim("127.0.0.1", b"nonsense"), counted("127.0.0.1"));
}

#[test]
fn forwarded_counts_before_x_forwarded_for() {
    let mut both = headers(&FORWARDED, &[b"for=192.0.2.7"]);
    both.append(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"));
    assert_eq!(proxies().client(remote("10.0.0.1"), &both), counted("192.0.2.7"));
}

#[test]
fn the_first_from_the_right_that_is_no_trusted_proxy_counts() {
    let commas = [&b"192.0.2.7"[..], ",".repeat(16 * 1024 - 9).as_bytes()].concat();
    for (lines, ip) in [
        (vec![&b"192.0.2.7"[..]], "192.0.2.7"),
        (vec![b"6.6.6.6, 192.0.2.7"], "192.0.2.7"),
        (vec![b"6.6.6.6, 192.0.2.7, 10.0.0.2,10.0.0.3"], "192.0.2.7"),
        (vec![b"6.6.6.6", b"192.0.2.7", b"10.0.0.2"], "192.0.2.7"),
        (vec![b"192.0.2.7 ,, ,\t10.0.0.2", b" , "], "192.0.2.7"),
        (vec![b"192.0.2.7:4711"], "192.0.2.7"),
        (vec![b"2001:db8::1"], "2001:db8::1"),
        (vec![b"[2001:db8::1]"], "2001:db8::1"),
        (vec![b"[2001:db8::1]:4711"], "2001:db8::1"),
        (vec![b"::ffff:192.0.2.7"], "192.0.2.7"),
        (vec![b"10.0.0.9, 10.0.0.2"], "10.0.0.9"),
        (vec![b"", b""], "10.0.0.1"),
        (vec![&commas], "192.0.2.7"),
        (vec![b"garbage, \xff, 192.0.2.7"], "10.0.0.1"),
        (vec![b"garbage, \xff", b"192.0.2.7"], "192.0.2.7"),
        // What is no address counts for who says so.
        (vec![b"unknown"], "10.0.0.1"),
        (vec![b"192.0.2.7, unknown, 10.0.0.2"], "10.0.0.2"),
        (vec![b"_hidden"], "10.0.0.1"),
        (vec![b"192.0.2.7:"], "10.0.0.1"),
        (vec![b"192.0.2.7:999999"], "10.0.0.1"),
        (vec![b"192.0.2.256"], "10.0.0.1"),
        (vec![b"192.0.2"], "10.0.0.1"),
        (vec![b"[2001:db8::1"], "10.0.0.1"),
        (vec![b"[192.0.2.7]"], "10.0.0.1"),
        (vec![b"fe80::1%eth0"], "10.0.0.1"),
        (vec![b"\"192.0.2.7\""], "10.0.0.1"),
        (vec![b"192.0.2.7 192.0.2.8"], "10.0.0.1"),
        (vec![b"::::::"], "10.0.0.1"),
    ] {
        assert_eq!(named(&X_FORWARDED_FOR, &lines), counted(ip), "{lines:?}");
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_has_it() {
    let long = [b"for=\"".to_vec(), vec![b'\\'; 8 * 1024], b"\", for=192.0.2.7".to_vec()].concat();
    for (lines, ip) in [
        (vec![&b"for=192.0.2.7"[..]], "192.0.2.7"),
        (vec![b"For=192.0.2.7;proto=http;by=203.0.113.43"], "192.0.2.7"),
        (vec![b"proto=https ; FOR = 192.0.2.7"], "192.0.2.7"),
        (vec![b"for=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
        (vec![b"for=\"192.0.2.7:80\", for=10.0.0.2"], "192.0.2.7"),
        (vec![b"for=6.6.6.6, for=192.0.2.7", b"for=10.0.0.2"], "192.0.2.7"),
        (vec![b"host=\"a;for=6.6.6.6,\\\"b\";for=192.0.2.7"], "192.0.2.7"),
        (vec![b"for=\"192.0.2.7:_port\""], "192.0.2.7"),
        // A mark without its pair does not reach what comes after it.
        (vec![b"for=\", for=192.0.2.7"], "192.0.2.7"),
        (vec![b"for=\"\\\", for=\"[2001:db8::1]\""], "2001:db8::1"),
        (vec![&long], "192.0.2.7"),
        (vec![b"for=unknown"], "10.0.0.1"),
        (vec![b"for=_hidden, for=10.0.0.2"], "10.0.0.2"),
        (vec![b"by=192.0.2.7"], "10.0.0.1"),
        (vec![b"for=192.0.2.7;for=192.0.2.8"], "10.0.0.1"),
        (vec![b"for=\"192.0.2.7"], "10.0.0.1"),
        (vec![b"192.0.2.7"], "10.0.0.1"),
        (vec![b"for="], "10.0.0.1"),
        (vec![b"=;=;;,;"], "10.0.0.1"),
    ] {
        assert_eq!(named(&FORWARDED, &lines), counted(ip), "{lines:?}");
    }
}

#[test]
fn networks_are_read_in_either_form() {
    for (text, shown) in [
        ("10.0.0.7", "10.0.0.7/32"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("fd00::/8", "fd00::/8"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ] {
        assert_eq!(text.parse::<TrustedProxy>().unwrap().to_string(), shown);
    }
    for text in ["", "10.0.0.0/33", "localhost", "10.0.0.0/", "10.0.0.0/8,::1"] {
        assert!(text.parse::<TrustedProxy>().is_err(), "{text}");
    }
}

proptest! {
    /// Whatever a client sends, a proxy that adds the client's address at the end has the last word.
    #[test]
    fn no_header_is_too_much_for_it(
        lines in prop::collection::vec("[ -~\\t]{0,60}", 0..4),
        pieces in prop::collection::vec(prop::sample::select(vec!["for=", "\"", "\\", ",", ";", "[", "]", ":", "10.0.0.2", "_x", "unknown"]), 0..40),
        is_forwarded: bool,
    ) {
        let (name, own) = if is_forwarded { (FORWARDED, "for=192.0.2.7") } else { (X_FORWARDED_FOR, "192.0.2.7") };
        let mut lines: Vec<String> = [lines, vec![pieces.concat()]].concat();
        let client = |lines: &[String]| {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            named(&name, &lines)
        };
        client(&lines);
        let mut joined = lines.clone();
        joined.push(own.to_owned());
        prop_assert_eq!(client(&joined), counted("192.0.2.7"));
        let last = lines.last_mut().unwrap();
        *last = format!("{last}, {own}");
        prop_assert_eq!(client(&lines), counted("192.0.2.7"));
    }
}
