//! The relay by TCP and TLS, on the port that speaks HTTP: how the two are told apart, and messages that come in pieces.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use anyhow::{Context, ensure};
use grtc_server::relay::{
    channel_data,
    stun::{Class, Message, Writer, method},
};
use grtc_testkit::{Authority, Launch, Raw, ServerProcess, TestServer, tls::text, turn::TurnClient};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::{sleep, timeout},
};

use crate::tls_is_spoken;

/// Longer than bytes need to be seen one by one.
const PAUSE: Duration = Duration::from_millis(50);

/// What a client in the room is told.
async fn told(server: &ServerProcess, who: &str) -> anyhow::Result<Value> {
    let answer = server.http().get(&format!("/api/ice-servers?room=r&peer_id={who}")).await?;
    Ok(answer.json()?["iceServers"].take())
}

async fn told_securely(authority: &Authority, server: SocketAddr, who: &str) -> anyhow::Result<Value> {
    let answer = authority.get(server, &format!("/api/ice-servers?room=r&peer_id={who}")).await?;
    let mut servers = answer.json()?["iceServers"].take();
    // A certificate names a host, and the clients of this test take numbers.
    for url in servers[1]["urls"].as_array_mut().context("no URLs")? {
        *url = url.as_str().context("no text")?.replace("localhost", "127.0.0.1").into();
    }
    Ok(servers)
}

async fn allocated(mut client: TurnClient) -> anyhow::Result<TurnClient> {
    let code = client.allocate().await?.code();
    ensure!(code == 200, "{code}");
    Ok(client)
}

fn relayed(client: &TurnClient) -> anyhow::Result<SocketAddr> {
    client.relayed.context("it has no allocation")
}

/// Both permit each other, and have a channel to each other.
async fn bind(a: &TurnClient, b: &TurnClient) -> anyhow::Result<()> {
    // Numbers that begin with the byte of a letter, as HTTP does.
    assert_eq!((a.bind(0x4745, relayed(b)?).await?, b.bind(0x5A54, relayed(a)?).await?), (200, 200));
    Ok(())
}

fn frame(channel: u16, data: &[u8]) -> anyhow::Result<Vec<u8>> {
    channel_data::frame(channel, data).context("too long")
}

fn padded(channel: u16, data: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut frame = frame(channel, data)?;
    frame.resize(frame.len().next_multiple_of(4), 0);
    Ok(frame)
}

#[tokio::test]
async fn every_transport_meets_every_other() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = tls_is_spoken::server(&authority, &["--turn"]).await?;
    let address = server.address();
    let servers = told_securely(&authority, address, "a").await?;
    let urls = servers[1]["urls"].as_array().context("no URLs")?;
    assert_eq!(urls.len(), 3);
    assert_eq!(urls[2], format!("turns:127.0.0.1:{}?transport=tcp", address.port()));
    let mut clients = Vec::new();
    for _ in 0..2 {
        clients.push(allocated(TurnClient::new(&servers).await?).await?);
        clients.push(allocated(TurnClient::by_tcp(&servers).await?).await?);
        for protocols in [&[][..], &["http/1.1", "stun.turn"]] {
            let stream = authority.connect(address, protocols).await?;
            clients.push(allocated(TurnClient::over(&servers, stream)?).await?);
        }
    }
    for (at, a) in clients.iter().enumerate() {
        for b in &clients[at + 1..] {
            assert_eq!((a.permit(relayed(b)?).await?, b.permit(relayed(a)?).await?), (200, 200));
            for length in [0, 1, 2, 3, 1_200, 20_000] {
                let data: Vec<u8> = (0..length).map(|at| at as u8).collect();
                for (from, to) in [(a, b), (b, a)] {
                    from.send_to(relayed(to)?, &data).await?;
                    assert_eq!(to.data().await?, (relayed(from)?, data.clone()), "{length} bytes, {from:?} to {to:?}");
                }
            }
        }
    }
    server.stop().await
}

#[tokio::test]
async fn messages_come_in_any_pieces() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = tls_is_spoken::server(&authority, &["--turn"]).await?;
    let servers = told_securely(&authority, server.address(), "a").await?;
    let secure = TurnClient::over(&servers, authority.connect(server.address(), &[]).await?)?;
    let (tcp, tls) = (allocated(TurnClient::by_tcp(&servers).await?).await?, allocated(secure).await?);
    bind(&tcp, &tls).await?;
    for (from, own, to, others) in [(&tcp, 0x4745, &tls, 0x5A54), (&tls, 0x5A54, &tcp, 0x4745)] {
        // Two in one, both of an odd length.
        from.write(&[padded(own, b"one")?, padded(own, b"three")?].concat()).await?;
        assert_eq!(to.next().await?, padded(others, b"one")?);
        assert_eq!(to.next().await?, padded(others, b"three")?);
        // One in three: within its head, and within its padding.
        let whole = padded(own, b"seventeen")?;
        for piece in [&whole[..3], &whole[3..14], &whole[14..]] {
            from.write(piece).await?;
            sleep(PAUSE).await;
        }
        assert_eq!(to.next().await?, padded(others, b"seventeen")?);
        // Every length of padding, one behind the other.
        let all: Vec<Vec<u8>> = (0..200).map(|length| vec![7; length]).collect();
        let sent = all.iter().map(|data| padded(own, data)).collect::<anyhow::Result<Vec<_>>>()?.concat();
        from.write(&sent).await?;
        for data in &all {
            assert_eq!(to.next().await?, padded(others, data)?);
        }
    }
    server.stop().await
}

#[tokio::test]
async fn the_first_byte_decides_however_slowly_it_goes_on() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.relay.turn = true).await?;
    let binding = Writer::new(Class::Request, method::BINDING, [7; 12]).fingerprint().finish();
    let (mut stun, mut http) = (TcpStream::connect(server.address()).await?, Raw::connect(server.address()).await?);
    let own = stun.local_addr()?;
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Not a sleep for something to happen: that bytes come one by one is what this is about.
    for at in 0..binding.len().max(request.len()) {
        if let Some(byte) = binding.get(at) {
            stun.write_all(&[*byte]).await?;
        }
        if let Some(byte) = request.get(at) {
            http.send([*byte]).await?;
        }
        sleep(PAUSE).await;
    }
    assert_eq!(http.answer().await?.status, 200);
    let mut answer = vec![0; 40];
    timeout(Duration::from_secs(10), stun.read_exact(&mut answer)).await.context("no answer")??;
    let message = Message::parse(&answer).context("no STUN")?;
    assert_eq!((message.class(), message.transaction()), (Class::Success, [7; 12]));
    let mapped = message.addresses(grtc_server::relay::stun::attribute::XOR_MAPPED_ADDRESS).next().flatten();
    assert_eq!(mapped, Some(own));
    // Whatever the stream goes on with is no HTTP any more: `GET ` is the head of a channel's data, 0x5420 bytes of it.
    let data = [&request[..], &[0; 0x5420]].concat();
    stun.write_all(&[&data[..4 + 0x5420], b"\xFF"].concat()).await?;
    let mut rest = Vec::new();
    timeout(Duration::from_secs(10), stun.read_to_end(&mut rest)).await.context("it goes on")??;
    assert!(rest.is_empty(), "{}", rest.escape_ascii());
    assert_eq!(server.join("r", "a").await?.room_state()["your_peer_id"], "a");
    server.stop().await
}

#[tokio::test]
async fn without_it_stun_is_no_request() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let (plain, secure) = (TestServer::start().await?, tls_is_spoken::server(&authority, &[]).await?);
    let binding = Writer::new(Class::Request, method::BINDING, [7; 12]).fingerprint().finish();
    for address in [plain.address(), secure.address()] {
        let mut raw = Raw::connect(address).await?;
        raw.send(&binding).await?;
        let said = raw.ended(Duration::from_secs(5)).await?;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400"), "{said}");
    }
    plain.stop().await?;
    secure.stop().await
}

#[tokio::test]
async fn nothing_but_the_room_is_reached_by_a_stream_either() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch { arguments: &["--turn"], ..Launch::default() }).await?;
    let servers = told(&server, "a").await?;
    let (a, b) =
        (allocated(TurnClient::by_tcp(&servers).await?).await?, allocated(TurnClient::by_tcp(&servers).await?).await?);
    let trap = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
    let elsewhere = server.http().get("/api/ice-servers?room=another&peer_id=c").await?.json()?["iceServers"].take();
    let elsewhere = allocated(TurnClient::by_tcp(&elsewhere).await?).await?;
    for address in [trap.local_addr()?, server.address(), relayed(&elsewhere)?, "10.0.0.1:80".parse()?] {
        assert_eq!((a.permit(address).await?, a.bind(0x4000, address).await?), (403, 403), "{address}");
        a.send_to(address, b"to the trap").await?;
        a.send(&frame(0x4000, b"to the trap")?).await?;
    }
    bind(&a, &b).await?;
    a.send(&frame(0x4745, b"within")?).await?;
    assert_eq!(b.next().await?, padded(0x5A54, b"within")?);
    assert_eq!(elsewhere.refresh(600).await?, 200, "its first message since is this answer");
    let trapped = trap.try_recv(&mut [0; 64]);
    assert!(trapped.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    // The stream's end is its allocation's.
    let of_b = relayed(&b)?;
    drop(b);
    timeout(Duration::from_secs(10), async {
        while a.permit(of_b).await? != 403 {}
        anyhow::Ok(())
    })
    .await
    .context("it is still there")??;
    server.stop().await
}

#[tokio::test]
async fn it_may_be_elsewhere_and_http_is_not_there() -> anyhow::Result<()> {
    let arguments = ["--turn", "--turn-listen", "127.0.0.1:0"];
    let server = ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await?;
    let servers = told(&server, "a").await?;
    let (udp, tcp) =
        (allocated(TurnClient::new(&servers).await?).await?, allocated(TurnClient::by_tcp(&servers).await?).await?);
    assert_eq!((udp.permit(relayed(&tcp)?).await?, tcp.permit(relayed(&udp)?).await?), (200, 200));
    udp.send_to(relayed(&tcp)?, b"there").await?;
    assert_eq!(tcp.data().await?.1, b"there");
    let url = servers[0]["urls"][0].as_str().and_then(|url| url.strip_prefix("stun:")).context("no URL")?;
    let elsewhere: SocketAddr = url.parse()?;
    assert_ne!(elsewhere.port(), server.address().port());
    let binding = Writer::new(Class::Request, method::BINDING, [7; 12]).finish();
    for (address, bytes) in
        [(elsewhere, &b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"[..]), (server.address(), &binding)]
    {
        let mut raw = Raw::connect(address).await?;
        raw.send(bytes).await?;
        let said = raw.ended(Duration::from_secs(5)).await?;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400"), "{said}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_stop_ends_streams_and_waits_for_no_idle_one() -> anyhow::Result<()> {
    let mut server = ServerProcess::launch(&Launch { arguments: &["--turn"], ..Launch::default() }).await?;
    let servers = told(&server, "a").await?;
    let (a, b) =
        (allocated(TurnClient::by_tcp(&servers).await?).await?, allocated(TurnClient::by_tcp(&servers).await?).await?);
    bind(&a, &b).await?;
    let mut late = TurnClient::by_tcp(&servers).await?;
    assert_eq!(late.refresh(0).await?, 438, "the relay has seen it");
    server.terminate()?;
    timeout(Duration::from_secs(5), async {
        while late.allocate().await?.code() != 508 {
            ensure!(late.refresh(0).await? == 200, "it has an allocation");
        }
        anyhow::Ok(())
    })
    .await??;
    a.send(&frame(0x4745, b"still")?).await?;
    assert_eq!(b.next().await?, padded(0x5A54, b"still")?);
    assert_eq!((a.refresh(0).await?, b.refresh(0).await?), (200, 200));
    assert!(a.next().await.is_err(), "the stream has ended");
    assert_eq!(server.ended().await?, Some(0));
    Ok(())
}

#[tokio::test]
async fn another_stack_s_clients_use_streams() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = tls_is_spoken::server(&authority, &["--turn"]).await?;
    let servers = told_securely(&authority, server.address(), "a").await?;
    let (name, password) = (&servers[1]["username"], &servers[1]["credential"]);
    let (name, password) = (name.as_str().context("no name")?, password.as_str().context("no password")?);
    let (port, ca) = (server.address().port().to_string(), authority.ca());
    for transport in [&["-t"][..], &["-t", "-s"], &["-t", "-S", "-E", text(&ca)]] {
        let common =
            ["-y", "-c", "-n", "20", "-m", "2", "-l", "101", "-p", &port, "-u", name, "-w", password, "127.0.0.1"];
        let mut command = Command::new("turnutils_uclient");
        let output = command.args([transport, &common].concat()).stdin(Stdio::null()).kill_on_drop(true).output();
        let output = match timeout(Duration::from_secs(60), output).await? {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                println!("turnutils_uclient is not installed: skipped");
                return server.stop().await;
            }
            output => output?,
        };
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains("Total lost packets 0 "), "{transport:?}: {said}");
    }
    server.stop().await
}
