//! Every path of the contract, written both ways; and the page with its files, and nothing else of the disk.

use grtc_testkit::{Raw, TestServer};
use hyper::Method;
use serde_json::json;

#[tokio::test]
async fn both_ways_are_the_same() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let _peer = server.join("room1", "a").await?;
    http.post("/api/items/bulk", &json!([{"title": "a"}, {"title": "b"}])).await?;
    http.send(Method::POST, "/api/items/1/process", &[], None).await?;
    for path in [
        "/api/items",
        "/api/items/1",
        "/api/jobs",
        "/api/jobs/1",
        "/api/ice-servers",
        "/rooms",
        "/rooms/room1/peers",
        "/health",
        "/health/live",
        "/health/ready",
        "/openapi.json",
    ] {
        let (plain, slash) = (http.get(path).await?, http.get(&format!("{path}/")).await?);
        assert_eq!((plain.status, slash.status), (200, 200), "{path}");
        if !path.starts_with("/api/jobs") {
            assert_eq!(plain.body, slash.body, "{path}");
        }
    }
    for slash in ["", "/"] {
        assert_eq!(http.post(&format!("/api/items{slash}"), &json!({"title": "t"})).await?.status, 201);
        assert_eq!(http.post(&format!("/api/items/bulk{slash}"), &json!([{"title": "t"}])).await?.status, 201);
        let path = format!("/api/items/bulk/status{slash}?new_status=active");
        assert_eq!(http.patch(&path, &json!([1])).await?.status, 200);
        assert_eq!(http.put(&format!("/api/items/1{slash}"), &json!({})).await?.status, 200);
        let path = format!("/api/items/1/process{slash}");
        assert_eq!(http.send(Method::POST, &path, &[], None).await?.status, 202);
        let request = format!("GET /api/items/events{slash} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(request).await?;
        assert_eq!(raw.answer().await?.header("content-type"), Some("text/event-stream"));
        let mut peer = Raw::upgrade(server.address(), &format!("/ws/room2{slash}?peer_id=p{}", slash.len())).await?;
        assert_eq!(peer.next_frame(grtc_testkit::raw::WAIT).await?.0, 1);
    }
    assert_eq!(http.delete("/api/items/1").await?.status, 204);
    assert_eq!(http.delete("/api/items/2/").await?.status, 204);
    server.stop().await
}

#[tokio::test]
async fn health_and_rooms_have_the_shapes_of_the_contract() -> anyhow::Result<()> {
    let stun = "stun:stun.example.org:3478".to_owned();
    let server = TestServer::start_with(|config| config.ice_server.push(stun)).await?;
    let http = server.http();
    let health = http.get("/health").await?.json()?;
    assert_eq!((&health["status"], &health["service"]), (&json!("healthy"), &json!("grtc")));
    assert_eq!(http.get("/rooms").await?.json()?, json!({"rooms": [], "total": 0}));
    assert_eq!(http.get("/rooms/none/peers").await?.json()?, json!({"room_id": "none", "peers": [], "total": 0}));
    let b = server.join("room1", "b").await?;
    let _a = server.join("room1", "a").await?;
    let servers = json!([{"urls": ["stun:stun.example.org:3478"]}]);
    assert_eq!(b.room_state()["ice_servers"], servers);
    assert_eq!(http.get("/api/ice-servers").await?.json()?, json!({"iceServers": servers}));
    let rooms = http.get("/rooms").await?.json()?;
    assert_eq!(rooms, json!({"rooms": [{"room_id": "room1", "peers": 2}], "total": 1}));
    let peers = http.get("/rooms/room1/peers").await?.json()?;
    assert_eq!(peers, json!({"room_id": "room1", "peers": ["b", "a"], "total": 2}));
    server.stop().await
}

#[tokio::test]
async fn the_page_and_the_description_are_there() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    for (path, kind) in [
        ("/", "text/html"),
        ("/static/js/main.js", "text/javascript"),
        ("/static/favicon.svg", "image/svg+xml"),
        ("/favicon.ico", "image/svg+xml"),
        ("/docs/", "text/html"),
        ("/openapi.json", "application/json"),
    ] {
        let answer = http.get(path).await?;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").is_some_and(|found| found.starts_with(kind)), "{path}: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let head = http.send(Method::HEAD, path, &[], None).await?;
        assert_eq!((head.status, head.body.len()), (200, 0), "HEAD {path}");
    }
    let policy = http.get("/").await?.header("content-security-policy").unwrap_or_default().to_owned();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let moved = http.get("/docs").await?;
    assert_eq!((moved.status, moved.header("location")), (308, Some("/docs/")));
    server.stop().await
}

#[tokio::test]
async fn no_path_leads_out_of_the_page() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for path in [
        "/static/../Cargo.toml",
        "/static/%2e%2e/Cargo.toml",
        "/static/js/%2e%2e/%2e%2e/Cargo.toml",
        "/static/js%2f..%2f..%2fCargo.toml",
        "/static/..%5cCargo.toml",
        "/static/js/..\\..\\Cargo.toml",
        "/static/js/main.js%00.png",
        "/static//etc/passwd",
        "/static/%252e%252e/Cargo.toml",
        "/static/js/",
        "/static/",
        "/static/package.json",
        "/docs/../../etc/passwd",
        "/docs/%2e%2e/x",
        "//etc/passwd",
        "/.git/config",
    ] {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await?;
        let answer = raw.answer().await?;
        assert_eq!(answer.status, 404, "{path}: {}", String::from_utf8_lossy(&answer.body));
    }
    server.stop().await
}
