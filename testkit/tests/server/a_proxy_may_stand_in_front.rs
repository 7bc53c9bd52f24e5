//! Behind a real nginx: below a path, and with a `Host` that is not what the browser sent.

use std::{
    net::{SocketAddr, TcpListener},
    process::Command,
};

use anyhow::{Context, ensure};
use grtc_testkit::{Client, Http, TestServer};
use hyper::Method;
use serde_json::json;
use tempfile::TempDir;

/// An nginx with one site of one location. It ends when it is dropped.
struct Nginx {
    address: SocketAddr,
    directory: TempDir,
}

impl Nginx {
    /// Returns once it listens: it goes into the background then.
    fn start(location: &str) -> anyhow::Result<Self> {
        let directory = TempDir::with_prefix("grtc-nginx-")?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let temporary =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};\n"));
        let configuration = format!(
            "pid nginx.pid; error_log error.log; worker_processes 1; events {{}}\n\
             http {{ access_log off; {}\n\
             map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}\n\
             server {{ listen {address}; {location} }} }}",
            temporary.concat()
        );
        std::fs::write(directory.path().join("nginx.conf"), configuration)?;
        let nginx = Self { address, directory };
        nginx.run(&[])?;
        Ok(nginx)
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let path = self.directory.path();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(path).arg("-c").arg(path.join("nginx.conf")).args(arguments);
        let ended = command.output().context("can't start nginx (Debian's package nginx-light)")?;
        ensure!(ended.status.success(), "nginx: {}", String::from_utf8_lossy(&ended.stderr));
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.run(&["-s", "stop"]);
    }
}

/// What every location needs for the server's WebSockets.
const UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                       proxy_set_header Connection $connection_upgrade; proxy_set_header X-Forwarded-For $remote_addr;";

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
    let location = format!("location /grtc/ {{ proxy_pass http://{}/; {UPGRADE} }}", server.address());
    let nginx = Nginx::start(&location)?;
    all_of_it_is_below(Http::new(nginx.address), nginx.address, "/grtc").await?;
    server.stop().await
}

#[tokio::test]
async fn below_a_path_that_the_proxy_hands_on() -> anyhow::Result<()> {
    let base = "/tools/grtc".parse()?;
    let server = TestServer::start_with(|config| config.base_path = base).await?;
    let location = format!("location /tools/ {{ proxy_pass http://{}; {UPGRADE} }}", server.address());
    let nginx = Nginx::start(&location)?;
    let http = Http::new(nginx.address);
    all_of_it_is_below(http, nginx.address, "/tools/grtc").await?;
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
        let location =
            format!("location / {{ proxy_pass http://{}; proxy_set_header Host {host}; {UPGRADE} }}", server.address());
        let nginx = Nginx::start(&location)?;
        let (http, origin) = (Http::new(nginx.address), format!("http://{}", nginx.address));
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
