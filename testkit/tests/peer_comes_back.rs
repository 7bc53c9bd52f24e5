//! `grtc-peer` and the ways in which it loses its server.

use std::time::{Duration, Instant};

use grtc_testkit::{Client, Http, Launch, PeerProcess, Proxy, ServerProcess, TestServer};
use serde_json::{Value, json};

/// A peer that joins by way of a proxy, and is in the room.
async fn join(proxy: &Proxy, id: &str, arguments: &[&str]) -> PeerProcess {
    let url = proxy.url();
    let join = ["join", "r", "--id", id, "--server", &url, "--json"];
    let mut peer = PeerProcess::start(&[&join, arguments].concat());
    assert_eq!(peer.event("joined").await["recovered"], Value::Null, "at the start there is nothing to recover");
    peer
}

/// Reads events up to the next one of this name, and gives them all.
async fn events(peer: &mut PeerProcess, name: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    while events.last().is_none_or(|event| event["event"] != name) {
        let line = peer.line().await.unwrap_or_else(|| panic!("it ended before {name:?}, after {events:#?}"));
        events.push(serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}")));
    }
    events
}

fn texts(events: &[Value]) -> impl Iterator<Item = u64> + '_ {
    let messages = events.iter().filter(|event| event["event"] == "message" && event["via"] == "relay");
    messages.map(|event| event["text"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// Twenty broadcasts, numbered on.
async fn speak(speaker: &mut Client, said: &mut u64) -> anyhow::Result<()> {
    for _ in 0..20 {
        *said += 1;
        speaker.send(json!({"type": "broadcast", "data": said})).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_the_room_says_while_the_socket_is_cut_arrives_once_and_in_order() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let proxy = Proxy::start(server.address()).await?;
    let status = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    // Who comes later offers; these never do.
    let mut a = join(&proxy, "A", &["--status", &status.to_string()]).await;
    let mut watcher = server.join("r", "watcher").await?;
    let mut speaker = server.join("r", "speaker").await?;
    let (mut said, mut heard) = (0, Vec::new());
    for _ in 0..5 {
        speak(&mut speaker, &mut said).await?;
        proxy.cut();
        assert_eq!(watcher.skip_to("peer_away").await?["peer_id"], "A");
        speak(&mut speaker, &mut said).await?;
        speaker.send(json!({"type": "ping"})).await?;
        speaker.skip_to("pong").await?;
        let lost = events(&mut a, "reconnecting").await;
        let reconnecting = &lost[lost.len() - 1];
        assert_eq!(reconnecting["attempt"], 1);
        assert!(reconnecting["why"].is_string() && reconnecting["delay_ms"].as_f64().is_some_and(|ms| ms <= 500.0));
        proxy.lead_to(server.address());
        let back = events(&mut a, "joined").await;
        assert_eq!(back[back.len() - 1]["recovered"], true);
        assert_eq!(watcher.skip_to("peer_back").await?["peer_id"], "A");
        heard.extend(texts(&lost));
        assert_eq!(texts(&back).count(), 0);
    }
    speak(&mut speaker, &mut said).await?;
    while heard.last() != Some(&said) {
        heard.extend(texts(&events(&mut a, "message").await));
    }
    assert_eq!(heard, (1..=said).collect::<Vec<u64>>());
    let gaps = Http::new(status).get("/status.json").await?.json()?["gaps"].clone();
    let gaps = gaps.as_array().cloned().unwrap_or_default();
    assert!(gaps.len() == 5 && gaps.iter().all(|gap| gap["gap_ms"].is_u64() && gap["why"].is_string()), "{gaps:?}");
    Ok(())
}

#[tokio::test]
async fn others_are_told_that_a_peer_is_away_and_back() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let proxy = Proxy::start(server.address()).await?;
    let mut b = PeerProcess::join(&server, "r", "B", &["--json"]);
    b.event("joined").await;
    let mut a = join(&proxy, "A", &[]).await;
    a.event("connected").await;
    b.event("connected").await;
    proxy.cut();
    assert_eq!(b.event("peer_away").await["peer_id"], "A");
    a.event("reconnecting").await;
    // The channel does not need the server.
    b.type_line("are you there").await;
    assert_eq!(a.event("message").await["text"], "are you there");
    proxy.lead_to(server.address());
    let back = events(&mut b, "peer_back").await;
    assert!(back.iter().all(|event| event["event"] == "peer_back" && event["peer_id"] == "A"), "{back:?}");
    assert_eq!(a.event("joined").await["peers"], json!(["B"]));
    a.type_line("I am").await;
    let answer = events(&mut b, "message").await;
    assert!(answer.len() == 1 && answer[0]["text"] == "I am", "{answer:?}");
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn who_was_stopped_looks_at_once_whether_its_link_is_alive() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let proxy = Proxy::start(server.address()).await?;
    let mut a = join(&proxy, "A", &[]).await;
    let mut watcher = server.join("r", "watcher").await?;
    proxy.silence();
    watcher.send(json!({"type": "broadcast", "data": 7})).await?;
    a.signal("STOP");
    // As long as it takes to be a sleep: this is what the test is about.
    tokio::time::sleep(Duration::from_secs(5)).await;
    a.signal("CONT");
    let begin = Instant::now();
    let lost = events(&mut a, "reconnecting").await;
    assert_eq!(lost[lost.len() - 1]["why"], "the server gives no sign of life");
    let back = events(&mut a, "joined").await;
    assert_eq!(back[back.len() - 1]["recovered"], true);
    assert!(begin.elapsed() < Duration::from_secs(15), "without a sleep it takes 35 s: {:?}", begin.elapsed());
    assert_eq!(a.event("message").await["text"], "7");
    // The server has not even noticed.
    watcher.send(json!({"type": "ping"})).await?;
    assert_eq!(watcher.recv().await?["type"], "pong");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_finds_its_peers_and_closes_no_channel() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let proxy = Proxy::start(server.address()).await?;
    let mut a = join(&proxy, "A", &[]).await;
    let mut b = join(&proxy, "B", &[]).await;
    for peer in [&mut a, &mut b] {
        peer.event("connected").await;
    }
    // Its port is another one after the start.
    proxy.cut();
    let server = ServerProcess::again(server.kill().await?).await?;
    proxy.lead_to(server.address());
    for peer in [&mut a, &mut b] {
        let events = events(peer, "joined").await;
        assert_eq!((&events[0]["event"], &events[0]["attempt"]), (&json!("reconnecting"), &json!(1)));
        assert_eq!(events[events.len() - 1]["recovered"], false, "the server knows nobody");
        assert!(events.iter().all(|event| event["event"] != "disconnected"), "{events:?}");
    }
    b.type_line("still here").await;
    let events = events(&mut a, "message").await;
    assert_eq!(events[events.len() - 1]["text"], "still here");
    assert!(events.iter().all(|event| event["event"] != "connecting"), "{events:?}");
    let peers = server.http().get("/rooms/r/peers").await?.json()?;
    assert_eq!(peers["total"], 2, "{peers}");
    server.stop().await
}

#[tokio::test]
async fn what_a_peer_says_about_itself_is_seen_and_said_again_to_a_server_that_knows_nobody() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let proxy = Proxy::start(server.address()).await?;
    let mut b = join(&proxy, "B", &["--name", "Ben", "--color", "#0a0"]).await;
    let ben = json!({"name": "Ben", "color": "#0a0"});
    let mut a = join(&proxy, "A", &["--name", "Ann"]).await;
    assert_eq!(a.event("peer_updated").await["metadata"], ben);
    assert_eq!(b.event("peer_updated").await["metadata"], json!({"name": "Ann"}));
    proxy.cut();
    let server = ServerProcess::again(server.kill().await?).await?;
    proxy.lead_to(server.address());
    let told = a.event("peer_updated").await;
    assert_eq!((&told["peer_id"], &told["metadata"]), (&json!("B"), &ben));
    server.stop().await
}

#[tokio::test]
async fn an_id_that_is_taken_can_be_waited_for() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut proxy = Proxy::start(server.address()).await?;
    let earlier = server.join("r", "A").await?;
    let url = proxy.url();
    let mut a = PeerProcess::start(&["join", "r", "--id", "A", "--server", &url, "--wait-for-id", "60s", "--json"]);
    proxy.accepted(2).await?;
    earlier.leave().await?;
    assert_eq!(a.event("joined").await["peer_id"], "A");
    let ended = PeerProcess::join(&server, "r", "A", &["--wait-for-id", "300ms", "--json"]).end().await;
    assert_eq!((ended.code, &ended.events()[0]["code"]), (Some(20), &json!("peer_id_taken")), "{:?}", ended.lines);
    let ended = PeerProcess::start(&["join", "r", "--wait-for-id", "1s"]).end().await;
    assert!(ended.code == Some(2) && ended.stderr.contains("--id"), "it is an id of one's own: {}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn who_was_killed_gets_its_id_back_when_the_server_has_given_it_up() -> anyhow::Result<()> {
    let server = TestServer::start_with(|config| config.resume_grace = Duration::from_secs(1)).await?;
    let mut watcher = server.join("r", "watcher").await?;
    let mut a = PeerProcess::join(&server, "r", "A", &["--json"]);
    a.event("joined").await;
    drop(a);
    watcher.skip_to("peer_away").await?;
    let ended = PeerProcess::join(&server, "r", "A", &["--json"]).end().await;
    assert_eq!((ended.code, &ended.events()[0]["code"]), (Some(20), &json!("peer_id_taken")), "{:?}", ended.lines);
    let mut a = PeerProcess::join(&server, "r", "A", &["--wait-for-id", "60s", "--json"]);
    assert_eq!(a.event("joined").await["recovered"], Value::Null);
    assert_eq!(watcher.skip_to("peer_left").await?["reason"], "lost");
    Ok(())
}
