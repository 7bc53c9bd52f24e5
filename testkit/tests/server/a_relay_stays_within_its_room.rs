//! The relay by UDP, on the server's own port: who gets in, where data goes, and where it never goes.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use grtc_server::{
    limits::Limit,
    relay::{
        channel_data,
        stun::{Class, Writer, attribute, method},
    },
};
use grtc_testkit::{
    Launch, PeerProcess, ServerProcess, TestServer,
    metrics::{Scraped, free_address},
    turn::TurnClient,
};
use serde_json::{Value, json};
use tokio::{net::UdpSocket, process::Command, time::timeout};

const TURN: Launch<'static> = Launch { arguments: &["--turn"], environment: &[], under: &[], database: None };

/// A client of `who` in `room` that has an allocation.
async fn allocated(server: &ServerProcess, room: &str, who: &str) -> anyhow::Result<TurnClient> {
    let mut client = client(server, room, who).await?;
    let code = client.allocate().await?.code();
    ensure!(code == 200, "{code} for {who}");
    Ok(client)
}

async fn client(server: &ServerProcess, room: &str, who: &str) -> anyhow::Result<TurnClient> {
    let path = format!("/api/ice-servers?room={room}&peer_id={who}");
    TurnClient::new(&server.http().get(&path).await?.json()?["iceServers"]).await
}

fn relayed(client: &TurnClient) -> anyhow::Result<SocketAddr> {
    client.relayed.context("it has no allocation")
}

#[tokio::test]
async fn data_goes_from_one_allocation_to_the_other() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&TURN).await?;
    let (a, b) = (allocated(&server, "r", "a").await?, allocated(&server, "r", "b").await?);
    let (of_a, of_b) = (relayed(&a)?, relayed(&b)?);
    assert!(of_a.port() >= 49_152 && of_b.port() >= 49_152 && of_a != of_b);
    assert_eq!((a.permit(of_b).await?, b.permit(of_a).await?), (200, 200));
    a.send_to(of_b, b"odd").await?;
    assert_eq!(b.data().await?, (of_a, b"odd".to_vec()));
    assert_eq!((a.bind(0x4001, of_b).await?, b.bind(0x4161, of_a).await?), (200, 200));
    for length in [0, 1, 3, 1_200, 20_000] {
        let data: Vec<u8> = (0..length).map(|at| at as u8).collect();
        a.send(&channel_data::frame(0x4001, &data).context("too long")?).await?;
        assert_eq!(channel_data::parse(&b.next().await?), Some((0x4161, &*data)));
    }
    // Many that come together arrive in their order.
    for number in 0..200_u8 {
        b.send(&channel_data::frame(0x4161, &[number; 100]).context("too long")?).await?;
    }
    for number in 0..200_u8 {
        assert_eq!(channel_data::parse(&a.next().await?), Some((0x4001, &[number; 100][..])));
    }
    server.stop().await
}

#[tokio::test]
async fn nothing_but_the_room_is_reached() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&TURN).await?;
    let (a, b) = (allocated(&server, "r", "a").await?, allocated(&server, "r", "b").await?);
    let elsewhere = allocated(&server, "another", "c").await?;
    let trap = UdpSocket::bind("127.0.0.1:0").await?;
    let port = relayed(&b)?.port();
    let mut forbidden = vec![trap.local_addr()?, server.address(), relayed(&elsewhere)?];
    for ip in [
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "127.0.0.2",
        "8.8.8.8",
        "::1",
        "::ffff:127.0.0.1",
        "fe80::1",
        "fd00::1",
        "2001:db8::1",
        "::",
        "ff02::1",
    ] {
        let ip: IpAddr = ip.parse()?;
        forbidden.extend([
            SocketAddr::new(ip, port),
            SocketAddr::new(ip, 80),
            SocketAddr::new(ip, trap.local_addr()?.port()),
        ]);
    }
    assert!(forbidden.len() > 40);
    for address in forbidden {
        assert_eq!((a.permit(address).await?, a.bind(0x4000, address).await?), (403, 403), "{address}");
        a.send_to(address, b"to the trap").await?;
        a.send(&channel_data::frame(0x4000, b"to the trap").context("too long")?).await?;
    }
    // Whatever was sent before has been dealt with once this is answered.
    assert_eq!((a.permit(relayed(&b)?).await?, b.permit(relayed(&a)?).await?), (200, 200));
    a.send_to(relayed(&b)?, b"within").await?;
    assert_eq!(b.data().await?.1, b"within");
    assert_eq!(elsewhere.refresh(600).await?, 200, "its first datagram since is this answer");
    let mut datagram = [0; 64];
    let trapped = trap.try_recv(&mut datagram);
    assert!(trapped.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    server.stop().await
}

#[tokio::test]
async fn at_the_quota_and_without_credentials_nobody_gets_in() -> anyhow::Result<()> {
    let arguments = ["--turn", "--turn-max-allocations-per-peer", "2", "--turn-max-allocations", "3"];
    let server = ServerProcess::launch(&Launch { arguments: &arguments, ..TURN }).await?;
    let (_first, _second) = (allocated(&server, "r", "a").await?, allocated(&server, "r2", "a").await?);
    assert_eq!(client(&server, "r", "a").await?.allocate().await?.code(), 486);
    let b = allocated(&server, "r", "b").await?;
    assert_eq!(client(&server, "r", "c").await?.allocate().await?.code(), 508);
    assert_eq!(b.refresh(0).await?, 200);
    allocated(&server, "r", "c").await?;
    let forged = json!([{"urls": [format!("turn:{}?transport=udp", server.address())],
        "username": "9999999999:0123456789abcdef:a", "credential": "Zm9yZ2Vk"}]);
    assert_eq!(TurnClient::new(&forged).await?.allocate().await?.code(), 401);
    server.stop().await
}

#[tokio::test]
async fn a_stop_lets_data_go_on_and_nobody_in() -> anyhow::Result<()> {
    let mut server = ServerProcess::launch(&TURN).await?;
    let (a, b) = (allocated(&server, "r", "a").await?, allocated(&server, "r", "b").await?);
    assert_eq!((a.permit(relayed(&b)?).await?, b.permit(relayed(&a)?).await?), (200, 200));
    let mut late = client(&server, "r", "late").await?;
    server.terminate()?;
    timeout(Duration::from_secs(5), async {
        while late.allocate().await?.code() != 508 {
            ensure!(late.refresh(0).await? == 200, "it has an allocation");
        }
        anyhow::Ok(())
    })
    .await??;
    a.send_to(relayed(&b)?, b"still").await?;
    assert_eq!(b.data().await?.1, b"still");
    assert_eq!((a.refresh(0).await?, b.refresh(0).await?), (200, 200));
    // Nobody is in it any more, and the end is not waited for.
    assert_eq!(server.ended().await?, Some(0));
    Ok(())
}

#[tokio::test]
async fn clients_are_told_of_it_in_each_way() -> anyhow::Result<()> {
    let metrics = free_address()?;
    let server =
        TestServer::start_with(|config| (config.relay.turn, config.metrics_listen) = (true, Some(metrics))).await?;
    let http = server.http();
    let stun = format!("stun:{}", server.address());
    for query in ["", "?room=r", "?peer_id=a"] {
        let servers = http.get(&format!("/api/ice-servers{query}")).await?;
        assert_eq!(servers.header("cache-control"), Some("no-store"));
        assert_eq!(servers.json()?, json!({"iceServers": [{"urls": [stun]}]}), "{query}");
    }
    assert_eq!(http.get("/api/ice-servers?room=r&peer_id=a%2Fb").await?.status, 422);
    let mut a = server.join("r", "a").await?;
    let joined = a.room_state()["ice_servers"].clone();
    a.send(json!({"type": "ice_servers", "id": "1"})).await?;
    let anew = a.expect("ice_servers").await?["ice_servers"].take();
    assert_eq!(a.expect("ack").await?["ref"], "1");
    for servers in [&joined, &anew, &http.get("/api/ice-servers?room=r&peer_id=a").await?.json()?["iceServers"]] {
        assert_eq!(servers[0]["urls"], json!([stun]));
        let [udp, tcp] = ["udp", "tcp"].map(|transport| format!("turn:{}?transport={transport}", server.address()));
        assert_eq!(servers[1]["urls"], json!([udp, tcp]));
        let mut client = TurnClient::new(servers).await?;
        assert_eq!(client.allocate().await?.code(), 200);
        assert_eq!(client.permit(server.address()).await?, 403);
        let binding = Writer::new(Class::Request, method::BINDING, [7; 12]).finish();
        let mapped = client.ask(binding).await?.address(attribute::XOR_MAPPED_ADDRESS);
        assert!(mapped.is_some_and(|mapped| mapped.ip() == Ipv4Addr::LOCALHOST));
    }
    counted(metrics, "grtc_turn_allocations", 3.0).await?;
    counted(metrics, "grtc_turn_refused_total{reason=\"peer\"}", 3.0).await?;
    server.stop().await
}

/// Waits until it has been counted: the relay tells it once a second.
async fn counted(metrics: SocketAddr, series: &str, value: f64) -> anyhow::Result<()> {
    timeout(Duration::from_secs(20), async {
        loop {
            if (Scraped::of(metrics).await?.value(series)? - value).abs() < 0.5 {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .with_context(|| format!("{series} does not get {value}"))?
}

#[tokio::test]
async fn a_rate_is_kept() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| {
        config.relay.turn = true;
        config.limits[Limit::TurnRatePerPeer] = 100_000;
    })
    .await?;
    let of = async |who| -> anyhow::Result<TurnClient> {
        let servers = server.http().get(&format!("/api/ice-servers?room=r&peer_id={who}")).await?.json()?;
        let mut client = TurnClient::new(&servers["iceServers"]).await?;
        ensure!(client.allocate().await?.code() == 200);
        Ok(client)
    };
    let (a, b) = (of("a").await?, of("b").await?);
    assert_eq!((a.bind(0x4000, relayed(&b)?).await?, b.bind(0x4000, relayed(&a)?).await?), (200, 200));
    assert_eq!(b.permit(relayed(&b)?).await?, 200);
    let begun = std::time::Instant::now();
    for _ in 0..500 {
        a.send(&channel_data::frame(0x4000, &[0; 1_000]).context("too long")?).await?;
    }
    // Once this is answered, what came before it has been dealt with.
    assert_eq!(a.refresh(600).await?, 200);
    let most = 65_535.0 + 100_000.0 * begun.elapsed().as_secs_f64();
    b.send_to(relayed(&b)?, b"end").await?;
    let mut through = 0;
    while let Some((_, data)) = channel_data::parse(&b.next().await?) {
        through += data.len();
    }
    assert!((60_000.0..=most).contains(&(through as f64)), "{through} of {most}");
    server.stop().await
}

#[tokio::test]
async fn peers_that_show_no_address_meet_by_it() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.relay.turn = true).await?;
    let arguments =
        ["--relay-only", "--json", "--expect-peers", "1", "--send", "hello", "--expect", "hello", "--timeout", "30s"];
    let mut peers = ["A", "B"].map(|id| PeerProcess::join(&server, "r", id, &arguments));
    for peer in &mut peers {
        let pair = peer.event("connected").await["pair"].take();
        assert_eq!((&pair["local"], &pair["remote"]), (&json!("relay"), &json!("relay")), "{pair}");
    }
    for peer in peers {
        assert_eq!(peer.end().await.code, Some(0));
    }
    server.stop().await
}

/// Runs a program of coturn's, if it is here, and gives what it says.
async fn coturn(program: &str, arguments: &[&str]) -> anyhow::Result<Option<String>> {
    let command = Command::new(program).args(arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    match timeout(Duration::from_secs(60), command).await? {
        Ok(output) => Ok(Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("{program} is not installed: skipped");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

#[tokio::test]
async fn another_stack_s_clients_use_it() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.relay.turn = true).await?;
    let port = server.address().port().to_string();
    let servers: Value = server.http().get("/api/ice-servers?room=r&peer_id=a").await?.json()?;
    let entry = &servers["iceServers"][1];
    // It has answered, so that it takes datagrams too: this one asks once.
    if let Some(said) = coturn("turnutils_stunclient", &["-p", &port, "127.0.0.1"]).await? {
        assert!(said.contains("127.0.0.1"), "{said}");
    }
    let (name, password) =
        (entry["username"].as_str().context("no name")?, entry["credential"].as_str().context("none")?);
    for mode in [&["-c"][..], &["-c", "-s"], &["-c", "-x"]] {
        let common = ["-y", "-n", "20", "-m", "2", "-l", "101", "-p", &port, "-u", name, "-w", password, "127.0.0.1"];
        if let Some(said) = coturn("turnutils_uclient", &[mode, &common].concat()).await? {
            assert!(said.contains("Total lost packets 0 "), "{mode:?}: {said}");
        }
    }
    server.stop().await
}
