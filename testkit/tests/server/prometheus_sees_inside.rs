//! Metrics: what is told, what never is, and a real Prometheus that collects it and raises an alert.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use grtc_server::limits::Limit;
use grtc_testkit::{
    Client, Http, PeerProcess, Raw, TestServer,
    metrics::{Scraped, free_address},
};
use hyper::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::{process::Command, time::sleep};

async fn measured() -> anyhow::Result<(TestServer, SocketAddr)> {
    let metrics = free_address()?;
    let server = TestServer::start_with(|config| {
        config.metrics_listen = Some(metrics);
        config.limits[Limit::Connections] = 12_000;
    })
    .await?;
    // Once it answers clients it answers there too.
    server.http().get("/health/live").await?;
    Ok((server, metrics))
}

#[tokio::test]
async fn what_happens_is_counted_and_nobody_is_named() -> anyhow::Result<()> {
    let (server, metrics) = measured().await?;
    let mut a = server.join("canary-room", "canary-a").await?;
    let mut b = server.join("canary-room", "canary-b").await?;
    a.expect("peer_joined").await?;
    a.send(json!({"type": "broadcast", "data": 1})).await?;
    b.expect("broadcast_message").await?;
    a.send(json!({"type": "message", "target_peer_id": "canary-b", "data": 1})).await?;
    b.expect("direct_message").await?;
    a.send(json!({"type": "canary-type"})).await?;
    a.expect("error").await?;
    a.send(json!({"type": "report", "peer_id": "canary-b", "result": "connected", "stage": "canary-stage",
        "pair": {"local": "canary-local", "remote": "host", "protocol": "udp"}, "timings_ms": {"total": 120}}))
        .await?;
    a.send(json!({"type": "ping"})).await?;
    a.expect("pong").await?;
    assert_eq!(server.connect("canary-room", "canary-a").await?.closed().await?.code, Some(4409));
    assert_eq!(server.http().get("/canary-path?canary-query").await?.status, 404);
    assert_eq!(server.http().post("/api/items/", &json!({"title": "canary-title"})).await?.status, 201);
    b.leave().await?;
    a.expect("peer_left").await?;
    let scraped = Scraped::of(metrics).await?;
    for (series, value) in [
        ("grtc_rooms", 1.0),
        ("grtc_peers{state=\"connected\"}", 1.0),
        ("grtc_peers{state=\"away\"}", 0.0),
        ("grtc_joins_total{result=\"joined\"}", 2.0),
        ("grtc_joins_total{result=\"peer_id_taken\"}", 1.0),
        ("grtc_join_seconds_count", 2.0),
        ("grtc_messages_total{type=\"broadcast\"}", 1.0),
        ("grtc_messages_total{type=\"message\"}", 1.0),
        ("grtc_messages_total{type=\"invalid\"}", 1.0),
        ("grtc_messages_total{type=\"report\"}", 1.0),
        ("grtc_deliveries_total", 2.0),
        ("grtc_outbox_bytes", 0.0),
        ("grtc_closes_total{code=\"4409\"}", 1.0),
        ("grtc_closes_total{code=\"1000\"}", 1.0),
        ("grtc_http_requests_total{route=\"other\",method=\"GET\",status=\"404\"}", 1.0),
        ("grtc_http_requests_total{route=\"/api/items/\",method=\"POST\",status=\"201\"}", 1.0),
        ("grtc_pairs_total{result=\"connected\",local=\"other\",remote=\"host\",protocol=\"udp\"}", 1.0),
        ("grtc_pair_connect_seconds_count", 1.0),
        ("grtc_jobs{state=\"queued\"}", 0.0),
    ] {
        assert!((scraped.value(series)? - value).abs() < 0.5, "{series} is {}", scraped.value(series)?);
    }
    assert!(scraped.value("grtc_connections")? >= 1.0);
    // The search index is brought up to date by transactions as well.
    assert!(scraped.value("grtc_commit_group_size_count")? >= 1.0 && scraped.value("grtc_commit_seconds_sum")? > 0.0);
    assert!(scraped.value("grtc_message_bytes_total{direction=\"in\"}")? > 100.0);
    assert!(scraped.value("process_resident_memory_bytes")? > 1e6 && scraped.value("process_open_fds")? > 5.0);
    assert!(!scraped.0.contains("canary") && !scraped.0.contains("127.0.0.1"), "{}", scraped.0);
    server.stop().await
}

#[tokio::test]
async fn metrics_have_a_place_of_their_own() -> anyhow::Result<()> {
    let (server, metrics) = measured().await?;
    let http = Http::new(metrics);
    let answer = http.get("/metrics").await?;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    for path in ["/", "/rooms", "/metrics/", "/health"] {
        assert_eq!(http.get(path).await?.status, 404, "{path}");
    }
    assert_eq!(http.send(Method::POST, "/metrics", &[], Some(&json!({}))).await?.status, 405);
    assert_eq!(server.http().get("/metrics").await?.status, 404, "clients don't see it");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_peers_make_of_their_pairs_is_counted() -> anyhow::Result<()> {
    let (server, metrics) = measured().await?;
    let mut a = PeerProcess::join(&server, "room1", "a", &["--json"]);
    a.event("joined").await;
    let mut b = PeerProcess::join(&server, "room1", "b", &["--json"]);
    a.event("connected").await;
    b.event("connected").await;
    let since = Instant::now();
    loop {
        let scraped = Scraped::of(metrics).await?;
        if scraped.sum("grtc_pairs_total{result=\"connected\",local=\"host\"") > 1.5 {
            assert!(scraped.value("grtc_pair_connect_seconds_count")? > 1.5);
            break;
        }
        assert!(since.elapsed() < Duration::from_secs(10), "each side reports the pair:\n{}", scraped.0);
        sleep(Duration::from_millis(20)).await;
    }
    server.stop().await
}

/// The shortest of ten scrapes while so many sockets are open, and how long a message took at most meanwhile.
async fn scrape_with(sockets: usize) -> anyhow::Result<(Duration, Duration)> {
    grtc_load::raise_open_files()?;
    let (server, metrics) = measured().await?;
    let mut held = Vec::new();
    for n in 0..sockets {
        held.push(Raw::upgrade(server.address(), &format!("/ws/room{}?peer_id=p{n}", n / 50)).await?);
    }
    let mut a = server.join("talk", "a").await?;
    let (mut shortest, mut slowest) = (Duration::MAX, Duration::ZERO);
    for _ in 0..10 {
        let since = Instant::now();
        let scraping = Scraped::of(metrics);
        let talking = async {
            let since = Instant::now();
            a.send(json!({"type": "ping"})).await?;
            a.expect("pong").await?;
            anyhow::Ok(since.elapsed())
        };
        let (scraped, took) = tokio::join!(async { (scraping.await, since.elapsed()) }, talking);
        assert!(scraped.0?.value("grtc_peers{state=\"connected\"}")? >= f64::from(u32::try_from(sockets)?));
        shortest = shortest.min(scraped.1);
        slowest = slowest.max(took?);
    }
    server.stop().await?;
    Ok((shortest, slowest))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_with_many_sockets_stalls_nobody() -> anyhow::Result<()> {
    let (scrape, ping) = scrape_with(1_000).await?;
    assert!(scrape < Duration::from_millis(100) && ping < Duration::from_millis(500), "{scrape:?}, {ping:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "opens 8,000 sockets"]
async fn long_a_scrape_with_8000_sockets_takes_20_ms() -> anyhow::Result<()> {
    let (scrape, ping) = scrape_with(8_000).await?;
    eprintln!("a scrape takes {scrape:?}, a ping meanwhile {ping:?} at most");
    assert!(scrape < Duration::from_millis(20), "{scrape:?}");
    Ok(())
}

/// A Prometheus that asks each second, with this project's alerts. It ends when it is dropped.
struct Prometheus {
    address: SocketAddr,
    _process: tokio::process::Child,
    _directory: TempDir,
}

impl Prometheus {
    fn start(target: SocketAddr) -> anyhow::Result<Self> {
        let directory = TempDir::with_prefix("grtc-prometheus-")?;
        let rules: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/prometheus/alerts.yml");
        let configuration = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\n\
             scrape_configs: [{{job_name: grtc, static_configs: [{{targets: ['{target}']}}]}}]\n",
            rules.display()
        );
        std::fs::write(directory.path().join("prometheus.yml"), configuration)?;
        let address = free_address()?;
        let mut command = Command::new("prometheus");
        command
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error"])
            .arg(format!("--web.listen-address={address}"))
            .current_dir(directory.path())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true);
        let process = command.spawn().context("can't start prometheus (Debian's package prometheus)")?;
        Ok(Self { address, _process: process, _directory: directory })
    }

    /// The names of the alerts that fire.
    async fn firing(&self) -> anyhow::Result<Vec<String>> {
        let alerts = Http::new(self.address).get("/api/v1/alerts").await?.json()?;
        let alerts = alerts["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        Ok(firing.filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect())
    }

    async fn collected(&self, query: &str) -> anyhow::Result<Option<f64>> {
        let answer = Http::new(self.address).get(&format!("/api/v1/query?query={query}")).await?.json()?;
        Ok(answer["data"]["result"][0]["value"][1].as_str().and_then(|value| value.parse().ok()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_collects_it_and_raises_an_alert() -> anyhow::Result<()> {
    let metrics = free_address()?;
    let server = TestServer::start_with(|config| {
        config.metrics_listen = Some(metrics);
        config.limits[Limit::Connections] = 2;
    })
    .await?;
    let held: Vec<Client> = vec![server.join("room1", "a").await?, server.join("room1", "b").await?];
    let prometheus = Prometheus::start(metrics)?;
    let since = Instant::now();
    let in_time = |what: &str| assert!(since.elapsed() < Duration::from_secs(60), "{what}");
    // Two looks at what there was before.
    while prometheus.collected("count_over_time(grtc_rooms[1m])").await.ok().flatten().is_none_or(|looks| looks < 2.0) {
        in_time("it collects nothing");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(prometheus.collected("grtc_peers{state=%22connected%22}").await?, Some(2.0));
    assert!(prometheus.firing().await?.is_empty());
    assert!(server.connect("room1", "one-too-many").await.is_err());
    while !prometheus.firing().await?.iter().any(|name| name == "GrtcConnectionsRefused") {
        in_time("nothing fires");
        sleep(Duration::from_millis(100)).await;
    }
    drop(held);
    server.stop().await
}
