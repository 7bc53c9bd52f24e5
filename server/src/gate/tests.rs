use hyper::{
    Method, Request,
    header::{ACCESS_CONTROL_REQUEST_METHOD, HeaderName},
};

use super::*;

fn all() -> [Needs; 9] {
    let room = || "r".to_owned();
    [
        Needs::Nothing,
        Needs::Public,
        Needs::Entry,
        Needs::ItemsRead,
        Needs::ItemsWrite,
        Needs::List,
        Needs::Room(room()),
        Needs::ListOrRoom(room()),
        Needs::Admin,
    ]
}

fn head(headers: &[(HeaderName, &str)]) -> Head {
    let mut request = Request::get("/");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    Head { method: parts.method, uri: parts.uri, headers: parts.headers, extensions: parts.extensions }
}

fn lets_in(gate: &Gate, needs: &Needs, origin: &str, host: &str) -> bool {
    gate.check(&head(&[(ORIGIN, origin), (HOST, host)]), needs).is_ok()
}

fn open() -> Gate {
    Gate::new(vec!["https://app.example.org".parse().unwrap()], false, CancellationToken::new())
}

fn loopback() -> Gate {
    Gate::new(Vec::new(), true, CancellationToken::new())
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
        for needs in &all() {
            assert!(lets_in(&open(), needs, origin, host), "{origin} at {host}");
        }
    }
}

#[test]
fn nobody_else_does_but_for_what_is_public() {
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
        for needs in &all() {
            let is_open = matches!(needs, Needs::Nothing | Needs::Public);
            assert_eq!(lets_in(&open(), needs, origin, "grtc.example.org"), is_open, "{origin} {needs:?}");
        }
        let public = open().check(&head(&[(ORIGIN, origin), (HOST, "grtc.example.org")]), &Needs::Public);
        assert_eq!(public.unwrap().origin, None, "{origin} loads it, and reads nothing");
    }
}

#[test]
fn on_loopback_any_loopback_origin_comes_in_but_no_foreign_host() {
    let gate = loopback();
    for needs in &all() {
        for origin in ["http://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:9", "http://127.8.8.8"] {
            assert!(lets_in(&gate, needs, origin, "127.0.0.1:8001"), "{origin}");
        }
        let is_open = matches!(needs, Needs::Nothing | Needs::Public);
        assert_eq!(lets_in(&gate, needs, "http://evil.com", "127.0.0.1:8001"), is_open);
        assert_eq!(lets_in(&gate, needs, "http://localhost.evil.com", "127.0.0.1"), is_open);
        let is_open = *needs == Needs::Nothing;
        assert_eq!(lets_in(&gate, needs, "http://evil.com", "evil.com"), is_open);
        for host in ["evil.com:8001", "169.254.169.254", ""] {
            assert_eq!(gate.check(&head(&[(HOST, host)]), needs).is_ok(), is_open, "{host} {needs:?}");
        }
        assert_eq!(gate.check(&head(&[]), needs).is_ok(), is_open, "{needs:?}");
    }
}

#[test]
fn a_server_that_stops_lets_in_health_checks_alone() {
    let gate = open();
    gate.stop.cancel();
    for needs in &all() {
        assert_eq!(gate.check(&head(&[(HOST, "h")]), needs).is_ok(), *needs == Needs::Nothing, "{needs:?}");
    }
}

#[test]
fn a_refusal_names_what_was_compared_with_what() {
    let error = open()
        .check(&head(&[(ORIGIN, "http://grtc.example.org:8080"), (HOST, "grtc.example.org")]), &Needs::ItemsRead)
        .unwrap_err();
    for word in
        ["\"http://grtc.example.org:8080\"", "\"grtc.example.org\"", "https://app.example.org", "--allow-origin"]
    {
        assert!(error.detail().contains(word), "{word}: {}", error.detail());
    }
    let error = loopback().check(&head(&[(HOST, "grtc.example.org:8080")]), &Needs::Public).unwrap_err();
    for word in ["\"grtc.example.org:8080\"", "127.0.0.1", "Host"] {
        assert!(error.detail().contains(word), "{word}: {}", error.detail());
    }
    let long = "x".repeat(5_000);
    assert!(open().check(&head(&[(ORIGIN, &long), (HOST, "h")]), &Needs::List).unwrap_err().detail().len() < 600);
}

#[test]
fn a_preflight_of_a_stranger_is_refused_even_for_what_is_public() {
    let mut head = head(&[(ORIGIN, "http://evil.com"), (HOST, "localhost"), (ACCESS_CONTROL_REQUEST_METHOD, "PUT")]);
    head.method = Method::OPTIONS;
    assert!(loopback().check(&head, &Needs::Public).is_err());
}
