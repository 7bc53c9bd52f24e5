//! What is counted for each address: connections, joins, requests and writes. The client is behind a proxy of this machine, since
//! who is on this machine itself is exempt.

use std::{
    net::{IpAddr, UdpSocket},
    time::Instant,
};

use grtc_server::{Config, limits::Limit};
use grtc_testkit::{
    Client, Http, Raw, TestServer,
    nginx::{Nginx, UPGRADE},
    raw::WAIT,
};
use hyper::Method;
use serde_json::json;

/// A server that believes what comes from 127.0.0.1.
async fn behind_a_proxy(change: impl FnOnce(&mut Config)) -> anyhow::Result<TestServer> {
    let proxy = "127.0.0.1".parse()?;
    TestServer::start_with(|config| {
        config.trusted_proxy = vec![proxy];
        change(config);
    })
    .await
}

/// An address of this machine that is none of loopback, if it has one.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}

async fn statuses(
    http: Http,
    count: usize,
    header: impl Fn(usize) -> (&'static str, String),
) -> anyhow::Result<Vec<u16>> {
    let mut all = Vec::new();
    for n in 0..count {
        let (name, value) = header(n);
        all.push(http.send(Method::GET, "/rooms", &[(name, &value)], None).await?.status);
    }
    Ok(all)
}

#[tokio::test]
async fn a_thousand_forged_addresses_are_one() -> anyhow::Result<()> {
    let server = behind_a_proxy(|config| config.limits[Limit::RequestRate] = 1).await?;
    let http = server.http();
    // 1 a second and 2 at once, of the address that the proxy adds.
    let forged = |n: usize| ("x-forwarded-for", format!("10.{}.{}.1, 203.0.113.7", n / 256, n % 256));
    let answers = statuses(http, 1_000, forged).await?;
    let let_in = answers.iter().filter(|status| **status == 200).count();
    assert!((2..100).contains(&let_in) && answers.iter().all(|status| [200, 429].contains(status)), "{let_in}");
    let others = statuses(http, 50, |n| ("x-forwarded-for", format!("203.0.114.{n}"))).await?;
    assert_eq!(others, [200; 50], "each of the others has a rate of its own");
    let network = |n: usize| ("forwarded", format!("for=\"[2001:db8:1:2::{n:x}]:4711\""));
    let answers = statuses(http, 50, network).await?;
    assert!(
        answers.iter().filter(|status| **status == 429).count() > 30,
        "an IPv6 network of 64 bits is one: {answers:?}"
    );
    server.stop().await
}

#[tokio::test]
async fn nobody_is_believed_who_is_no_trusted_proxy() -> anyhow::Result<()> {
    let Some(ip) = outer_address() else {
        eprintln!("skipped: this machine has no address but those of loopback");
        return Ok(());
    };
    let server = TestServer::start_with(|config| {
        config.listen = (ip, 0).into();
        config.insecure_open = true;
        config.limits[Limit::RequestRate] = 1;
    })
    .await?;
    let answers = statuses(server.http(), 300, |n| ("x-forwarded-for", format!("198.51.100.{n}"))).await?;
    assert!(answers.iter().filter(|status| **status == 200).count() < 50, "{answers:?}");
    server.stop().await
}

#[tokio::test]
async fn behind_a_real_nginx_the_clients_address_counts() -> anyhow::Result<()> {
    let Some(ip) = outer_address() else {
        eprintln!("skipped: this machine has no address but those of loopback");
        return Ok(());
    };
    let server = behind_a_proxy(|config| {
        config.limits[Limit::RequestRate] = 1;
        config.limits[Limit::JoinRate] = 1;
    })
    .await?;
    let location = format!(
        "location / {{ proxy_pass http://{}; {UPGRADE} proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }}",
        server.address()
    );
    let nginx = Nginx::start(&ip.to_string(), &location)?;
    let forged = |n: usize| ("x-forwarded-for", format!("198.51.100.{n}"));
    let answers = statuses(Http::new(nginx.address()), 300, forged).await?;
    assert!(answers.iter().filter(|status| **status == 200).count() < 50, "{answers:?}");
    let mut refused = 0;
    for n in 0..20 {
        let mut client = Client::connect(&format!("ws://{}/ws/room1?peer_id={n}", nginx.address())).await?;
        match client.recv().await {
            Ok(first) => assert_eq!(first["type"], "room_state"),
            Err(_) => refused += 1,
        }
    }
    assert!((5..20).contains(&refused), "{refused} of 20 were told to come back later");
    // Who is on the machine itself is exempt.
    assert_eq!(statuses(server.http(), 50, |_| ("accept", "*/*".to_owned())).await?, [200; 50]);
    server.stop().await
}

#[tokio::test]
async fn what_goes_too_fast_is_told_when_to_come_back() -> anyhow::Result<()> {
    let server = behind_a_proxy(|config| config.limits[Limit::WriteRate] = 1).await?;
    let (http, from) = (server.http(), [("x-forwarded-for", "203.0.113.7")]);
    let item = json!({"title": "t"});
    let mut refused = None;
    for _ in 0..10 {
        let answer = http.send(Method::POST, "/api/items/", &from, Some(&item)).await?;
        if answer.status == 429 {
            refused = Some(answer);
        }
    }
    let refused = refused.expect("10 writes at once are more than one a second");
    assert_eq!((refused.json()?["code"].as_str(), refused.header("retry-after")), (Some("rate_limited"), Some("1")));
    assert!(refused.json()?["detail"].as_str().is_some_and(|detail| detail.contains("--write-rate")), "{refused:?}");
    assert_eq!(http.send(Method::GET, "/api/items/", &from, None).await?.status, 200, "reading goes on");
    assert_eq!(http.send(Method::GET, "/health", &from, None).await?.status, 200);
    server.stop().await
}

#[tokio::test]
async fn a_websocket_is_refused_by_a_close_code() -> anyhow::Result<()> {
    let server = behind_a_proxy(|config| {
        config.limits[Limit::JoinRate] = 1;
        config.limits[Limit::Rooms] = 2;
        config.limits[Limit::RoomPeers] = 2;
    })
    .await?;
    let mut held = Vec::new();
    for (room, peer) in [("one", "a"), ("one", "b"), ("two", "a")] {
        held.push(server.join(room, peer).await?);
    }
    assert_eq!(server.connect("one", "c").await?.closed().await?.code, Some(4423));
    assert_eq!(server.connect("three", "a").await?.closed().await?.code, Some(1013));
    let mut codes = Vec::new();
    for n in 0..10 {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(format!(
            "GET /ws/two?peer_id=p{n} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             X-Forwarded-For: 203.0.113.7\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ))
        .await?;
        assert_eq!(raw.answer().await?.status, 101);
        let (opcode, payload) = raw.next_frame(WAIT).await?;
        codes.push(if opcode == 8 { u16::from_be_bytes([payload[0], payload[1]]) } else { 0 });
    }
    assert!(codes.iter().filter(|code| **code == 4029).count() >= 3, "{codes:?}");
    server.stop().await
}

#[tokio::test]
async fn behind_a_proxy_a_client_has_so_many_under_way() -> anyhow::Result<()> {
    let server = behind_a_proxy(|config| config.limits[Limit::ConnectionsPerAddress] = 2).await?;
    let upgrade = |peer: &str, ip: &str| {
        format!(
            "GET /ws/room1?peer_id={peer} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             X-Forwarded-For: {ip}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
    };
    let mut held = Vec::new();
    for (peer, ip) in [("a", "203.0.113.7"), ("b", "203.0.113.7"), ("c", "203.0.113.8")] {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(upgrade(peer, ip)).await?;
        assert_eq!((raw.answer().await?.status, raw.next_frame(WAIT).await?.0), (101, 1), "{peer}");
        held.push(raw);
    }
    let mut raw = Raw::connect(server.address()).await?;
    raw.send(upgrade("d", "203.0.113.7")).await?;
    assert_eq!((raw.answer().await?.status, raw.close_code(WAIT).await?), (101, 4029));
    let http = server.http();
    let asked = async |ip: &str| http.send(Method::GET, "/rooms", &[("x-forwarded-for", ip)], None).await;
    let answer = asked("203.0.113.7").await?;
    assert_eq!((answer.status, answer.json()?["code"].as_str()), (429, Some("too_many_connections")));
    assert_eq!(asked("203.0.113.8").await?.status, 200);
    // What has ended counts no more.
    held.clear();
    let since = Instant::now();
    while asked("203.0.113.7").await?.status != 200 {
        assert!(since.elapsed() < WAIT, "two have ended");
    }
    server.stop().await
}

#[tokio::test]
async fn an_address_has_so_many_connections() -> anyhow::Result<()> {
    let Some(ip) = outer_address() else {
        eprintln!("skipped: this machine has no address but those of loopback");
        return Ok(());
    };
    let server = TestServer::start_with(|config| {
        config.listen = (ip, 0).into();
        config.insecure_open = true;
        config.limits[Limit::ConnectionsPerAddress] = 3;
        config.limits[Limit::ConnectRate] = 10;
    })
    .await?;
    let mut held = Vec::new();
    for peer in ["a", "b", "c"] {
        held.push(server.join("room1", peer).await?);
    }
    let refusal = server.connect("room1", "d").await.unwrap_err();
    assert_eq!(refusal.status, Some(429), "{refusal}");
    let mut raw = Raw::connect(server.address()).await?;
    let answer = raw.answer().await?;
    assert_eq!((answer.status, answer.json()?["code"].as_str()), (429, Some("too_many_connections")));
    assert_eq!(answer.header("retry-after"), Some("1"));
    held.pop();
    // 10 a second and 40 at once: more are refused by their rate.
    let mut codes = Vec::new();
    for _ in 0..60 {
        let mut raw = Raw::connect(server.address()).await?;
        let _ = raw.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        codes.push(raw.answer().await.map(|answer| answer.status));
    }
    let codes: Vec<u16> = codes.into_iter().flatten().collect();
    assert!(codes.contains(&200) && codes.contains(&429), "{codes:?}");
    server.stop().await
}
