//! How `grtc-peer` ends, and what it says then.

use grtc_testkit::{PeerProcess, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn an_unreachable_server_is_20_and_names_the_url() {
    let ended = PeerProcess::start(&["join", "r", "--server", "ws://127.0.0.1:9", "--json"]).end().await;
    let events = ended.events();
    assert_eq!(
        (ended.code, &events[0]["event"], &events[0]["code"]),
        (Some(20), &"error".into(), &"unreachable".into())
    );
    let message = events[0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("ws://127.0.0.1:9") && message.contains("--server"), "{message}");
    assert_eq!((&events[1]["event"], &events[1]["ok"]), (&"done".into(), &false.into()));
}

#[tokio::test]
async fn a_taken_name_is_20_and_says_so() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = PeerProcess::join(&server, "r", "A", &["--json"]);
    a.event("joined").await;
    let ended = PeerProcess::join(&server, "r", "A", &["--json"]).end().await;
    assert_eq!((ended.code, &ended.events()[0]["code"]), (Some(20), &"peer_id_taken".into()), "{:?}", ended.lines);
    Ok(())
}

#[tokio::test]
async fn who_is_not_let_in_is_10_and_says_why() -> anyhow::Result<()> {
    // What stands before a server and asks for who comes, such as a proxy.
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", proxy.local_addr()?);
    let peer = tokio::spawn(async move { PeerProcess::start(&["join", "r", "--server", &url, "--json"]).end().await });
    let (mut socket, _) = proxy.accept().await?;
    while !socket.read_u8().await?.eq(&b'\r') {}
    socket.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await?;
    let ended = peer.await?;
    let events = ended.events();
    assert_eq!((ended.code, &events[0]["code"]), (Some(10), &"not_authenticated".into()), "{:?}", ended.lines);
    assert!(events[0]["message"].as_str().unwrap_or_default().contains("401"), "{:?}", ended.lines);
    Ok(())
}

#[tokio::test]
async fn an_expectation_that_is_not_met_is_60_and_says_which() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let arguments = ["--expect-peers", "2", "--expect", "x", "--timeout", "3s", "--json"];
    let ended = PeerProcess::join(&server, "r", "A", &arguments).end().await;
    let events = ended.events();
    let unmet = serde_json::json!(["0 of 2 expected peers connected", "no message \"x\""]);
    assert_eq!((ended.code, &events[1]["event"], &events[1]["unmet"]), (Some(60), &"done".into(), &unmet));
    Ok(())
}

#[tokio::test]
async fn without_an_expectation_the_timeout_is_0() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let ended = PeerProcess::join(&server, "r", "A", &["--timeout", "3s", "--json"]).end().await;
    assert_eq!((ended.code, &ended.events()[1]["ok"]), (Some(0), &true.into()));
    Ok(())
}

#[tokio::test]
async fn ctrl_c_leaves_and_is_130() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut witness = server.join("r", "witness").await?;
    let mut a = PeerProcess::join(&server, "r", "A", &["--json"]);
    a.event("joined").await;
    witness.expect("peer_joined").await?;
    a.interrupt();
    assert_eq!(a.end().await.code, Some(130));
    assert_eq!(witness.skip_to("peer_left").await?["reason"], "left");
    Ok(())
}

#[tokio::test]
async fn who_can_not_stay_says_goodbye() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut witness = server.join("r", "witness").await?;
    let ended = PeerProcess::join(&server, "r", "A", &["--relay-only", "--json"]).end().await;
    assert_eq!(ended.code, Some(2), "{:?}", ended.lines);
    assert_eq!(witness.skip_to("peer_left").await?["reason"], "left");
    Ok(())
}

#[tokio::test]
async fn no_network_path_is_30() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut b = PeerProcess::join(&server, "r", "B", &["--json"]);
    b.event("joined").await;
    // Relayed candidates alone, and nobody who relays: the tries take 20 s.
    let relay = ["--relay-only", "--ice-server", "turn:127.0.0.1:9", "--ice-username", "u", "--ice-credential", "p"];
    let arguments = [&relay[..], &["--expect-peers", "1", "--timeout", "24s", "--json"]].concat();
    let ended = PeerProcess::join(&server, "r", "A", &arguments).end().await;
    assert_eq!(ended.code, Some(30), "{:#?}", ended.lines);
    let failed = ended.events().into_iter().find(|event| event["event"] == "error").unwrap_or_default();
    assert_eq!((&failed["code"], &failed["peer_id"]), (&"ice_failed".into(), &"B".into()));
    Ok(())
}

#[tokio::test]
async fn wrong_usage_is_2() {
    for arguments in [
        &["join"][..],
        &["join", "a/b"],
        &["join", "r", "--timeout", "5"],
        &["join", "r", "--server", "x"],
        &["join", "r", "--interface", "nope0"],
        &["join", "r", "--status", "0.0.0.0:0"],
        &["swarm", "r", "--peers", "1"],
        &["dance"],
    ] {
        let ended = PeerProcess::start(arguments).end().await;
        assert_eq!((ended.code, ended.lines.len()), (Some(2), 0), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.is_empty());
    }
}

#[tokio::test]
async fn an_ice_server_that_can_not_be_used_is_2_and_says_what_to_write() {
    for (arguments, words) in [
        (&["host:3478"][..], &["host:3478", "stun:host:3478"][..]),
        (&["stun:host:port"], &["stun:host:port", "65535", "host:3478"]),
        (&["stun:host?transport=udp"], &["stun:host?transport=udp", "no parameter", "leave out"]),
        (&["turns:host"], &["turns:host", "turn:host:3478?transport=udp"]),
        (&["turn:host"], &["user name", "password", "--ice-username", "GRTC_ICE_CREDENTIAL"]),
        (&["turn:host", "--ice-username", "u"], &["password", "GRTC_ICE_CREDENTIAL"]),
    ] {
        for command in ["join", "swarm"] {
            let ended = PeerProcess::start(&[&[command, "r", "--ice-server"], arguments].concat()).end().await;
            assert_eq!((ended.code, ended.lines.len()), (Some(2), 0), "{arguments:?}: {}", ended.stderr);
            let said = |word: &&str| ended.stderr.contains(*word);
            assert!(ended.stderr.contains("--ice-server") && words.iter().all(said), "{}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn one_that_the_server_names_and_that_can_not_be_used_is_said_and_left_out() -> anyhow::Result<()> {
    // Over TLS: browsers can, this can't.
    let tls = "stuns:127.0.0.1:5349";
    let server = TestServer::start_with(|config| config.ice_server.push(tls.to_owned())).await?;
    let ended = PeerProcess::join(&server, "r", "A", &["--timeout", "3s", "--json"]).end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("left out") && ended.stderr.contains(tls), "{}", ended.stderr);
    Ok(())
}
