//! Behind a real nginx: below a path, and with a `Host` that is not what the browser sent.

use std::{net::SocketAddr, time::Duration};

use grtc_testkit::{
    Client, Events, Http, Raw, TestServer,
    nginx::{Nginx, UPGRADE},
};
use hyper::Method;
use serde_json::json;

/// What a location needs to hand on: WebSockets, and the client's address.
const HANDED_ON: &str = "proxy_set_header X-Forwarded-For $remote_addr;";

/// Where a reference leads from a path (RFC 3986 section 5.2).
fn resolve(from: &str, reference: &str) -> String {
    if reference.starts_with('/') {
        return reference.to_owned();
    }
    let mut path: Vec<&str> = from.split('/').collect();
    path.pop();
    for segment in reference.split('/').filter(|segment| *segment != ".") {
        if segment == ".." {
            path.pop();
        } else {
            path.push(segment);
        }
    }
    path.join("/")
}

/// Follows everything that the server says of its own addresses.
async fn all_of_it_is_below(http: Http, nginx: SocketAddr, base: &str) -> anyhow::Result<()> {
    let page = http.get(&format!("{base}/")).await?;
    assert_eq!(page.status, 200, "{}", page.text());
    let mut linked = 0;
    let text = page.text();
    for link in text.split("src=\"").chain(text.split("href=\"")).filter_map(|rest| rest.split('"').next()) {
        if link.starts_with("static/") {
            let path = resolve(&format!("{base}/"), link);
            assert_eq!(http.get(&path).await?.status, 200, "{path}");
            linked += 1;
        }
    }
    assert!(linked > 5, "{text}");
    for slash in ["", "/"] {
        let path = format!("{base}/api/items{slash}");
        let made = http.post(&path, &json!({"title": "t"})).await?;
        let location = resolve(&path, made.header("location").unwrap_or("none"));
        assert_eq!(http.get(&location).await?.json()?, made.json()?, "{location}");
        let path = format!("{location}/process{slash}");
        let queued = http.send(Method::POST, &path, &[], None).await?;
        let location = resolve(&path, queued.header("location").unwrap_or("none"));
        assert_eq!(http.get(&location).await?.json()?["id"], queued.json()?["job_id"], "{location}");
    }
    let path = format!("{base}/docs");
    let moved = http.get(&path).await?;
    let docs = resolve(&path, moved.header("location").unwrap_or("none"));
    assert_eq!((moved.status, docs.as_str()), (308, &*format!("{base}/docs/")));
    assert_eq!(http.get(&docs).await?.status, 200);
    let script = http.get(&resolve(&docs, "swagger-initializer.js")).await?.text();
    assert!(script.contains("\"../openapi.json\""), "{script}");
    let api = resolve(&docs, "../openapi.json");
    assert_eq!(http.get(&api).await?.json()?["servers"][0]["url"], ".");
    let mut a = Client::connect(&format!("ws://{nginx}{base}/ws/room1?peer_id=a")).await?;
    assert_eq!(a.expect("room_state").await?["your_peer_id"], "a");
    Ok(())
}

#[tokio::test]
async fn below_a_path_that_the_proxy_takes_away() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let location = format!("location /grtc/ {{ proxy_pass http://{}/; {UPGRADE} {HANDED_ON} }}", server.address());
    let nginx = Nginx::start("127.0.0.1", &location)?;
    all_of_it_is_below(Http::new(nginx.address()), nginx.address(), "/grtc").await?;
    server.stop().await
}

#[tokio::test]
async fn below_a_path_that_the_proxy_hands_on() -> anyhow::Result<()> {
    let base = "/tools/grtc".parse()?;
    let server = TestServer::start_with(|config| config.base_path = base).await?;
    let location = format!("location /tools/ {{ proxy_pass http://{}; {UPGRADE} {HANDED_ON} }}", server.address());
    let nginx = Nginx::start("127.0.0.1", &location)?;
    let http = Http::new(nginx.address());
    all_of_it_is_below(http, nginx.address(), "/tools/grtc").await?;
    let moved = http.get("/tools/grtc").await?;
    assert_eq!((moved.status, moved.header("location")), (308, Some("/tools/grtc/")));
    // Who asks without the path, as a health check on the machine itself, gets the same.
    assert_eq!(server.http().get("/health/ready").await?.status, 200);
    server.stop().await
}

#[tokio::test]
async fn at_the_root_without_a_proxy_a_location_is_a_path() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    all_of_it_is_below(server.http(), server.address(), "").await?;
    assert_eq!(server.http().get("/docs").await?.header("location"), Some("/docs/"));
    server.stop().await
}

/// A page's modules are fetched with `Origin`, whose port `$host` does not have.
#[tokio::test]
async fn a_host_without_its_port_costs_the_api_and_says_so_and_not_the_page() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| {
        config.listen = SocketAddr::from(([0, 0, 0, 0], 0));
        config.insecure_open = true;
    })
    .await?;
    for (host, status) in [("$host", 403), ("$http_host", 200)] {
        let location = format!(
            "location / {{ proxy_pass http://{}; proxy_set_header Host {host}; {UPGRADE} {HANDED_ON} }}",
            server.address()
        );
        let nginx = Nginx::start("127.0.0.1", &location)?;
        let (http, origin) = (Http::new(nginx.address()), format!("http://{}", nginx.address()));
        let ask = async |path: &str| http.send(Method::GET, path, &[("origin", origin.as_str())], None).await;
        for path in ["/", "/static/js/main.js", "/docs/", "/openapi.json", "/favicon.ico", "/health/ready"] {
            assert_eq!(ask(path).await?.status, 200, "{path} with {host}");
        }
        for path in ["/api/items/", "/rooms", "/ws/room1"] {
            let answer = ask(path).await?;
            if status == 403 {
                let detail = answer.json()?["detail"].as_str().unwrap_or_default().to_owned();
                assert_eq!(answer.status, 403, "{path}");
                for word in [&origin, "\"127.0.0.1\"", "--allow-origin", "port"] {
                    assert!(detail.contains(word), "{word} in {detail}");
                }
            } else {
                assert!([200, 426].contains(&answer.status), "{path}: {}", answer.text());
            }
        }
    }
    server.stop().await
}

#[tokio::test]
async fn an_event_does_not_wait_in_the_proxy() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let location = format!("location / {{ proxy_pass http://{}; {UPGRADE} {HANDED_ON} }}", server.address());
    let nginx = Nginx::start("127.0.0.1", &location)?;
    let mut events = Events::open(nginx.address(), None).await?;
    for title in ["first", "second"] {
        Http::new(nginx.address()).post("/api/items/", &json!({"title": title})).await?;
        assert_eq!(events.expect("created").await?.data["title"], title);
    }
    server.stop().await
}

/// What a client can have nginx and the server disagree about: where a request ends. Each of these is one request for both, or
/// none, and the next client's answer is its own.
#[tokio::test]
async fn nothing_is_smuggled_past_the_proxy() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    // Connections to the server are kept and shared, as smuggling needs it.
    let location = format!(
        "location / {{ proxy_pass http://{}; proxy_http_version 1.1; proxy_set_header Connection ''; \
         proxy_request_buffering off; {HANDED_ON} }}",
        server.address()
    );
    let nginx = Nginx::start("127.0.0.1", &location)?;
    let post = "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let hidden = "DELETE /api/items/1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    Http::new(server.address()).post("/api/items/", &json!({"title": "the canary"})).await?;
    for (kind, request) in [
        (
            "CL.TE",
            format!(
                "{post}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
                hidden.len() + 5
            ),
        ),
        (
            "TE.CL",
            format!(
                "{post}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n",
                hidden.len()
            ),
        ),
        ("TE.TE", format!("{post}Transfer-Encoding: xchunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")),
        ("two lengths", format!("{post}Content-Length: 0\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len())),
        ("a length of another kind", format!("{post}Content-Length: 0x0\r\n\r\n{hidden}")),
        ("a blank before the colon", format!("{post}Content-Length : {}\r\n\r\n{hidden}", hidden.len())),
        (
            "a body of a GET",
            format!("GET /rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len()),
        ),
        (
            "an upgrade that fails",
            format!(
                "GET /ws/room1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 7\r\nContent-Length: {}\r\n\r\n{hidden}",
                hidden.len()
            ),
        ),
    ] {
        let mut raw = Raw::connect(nginx.address()).await?;
        let _ = raw.send(&request).await;
        raw.finish().await?;
        let said = raw.ended(Duration::from_secs(40)).await?;
        let answers = said.matches("HTTP/1.1 ").count();
        assert!(answers <= 1, "{kind}: {said}");
        for _ in 0..3 {
            let next = Http::new(nginx.address()).get("/api/items/1").await?;
            assert_eq!((next.status, next.json()?["title"].as_str()), (200, Some("the canary")), "{kind}");
        }
    }
    server.stop().await
}
