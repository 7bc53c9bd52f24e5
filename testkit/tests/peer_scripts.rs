//! Two `grtc-peer join` of a script: they meet, exchange what is expected, and end by themselves.

use grtc_testkit::{PeerProcess, TestServer};

#[tokio::test]
async fn ping_and_pong() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let b = ["--expect-peers", "1", "--expect", "ping", "--send", "pong", "--json"];
    let mut b = PeerProcess::join(&server, "ci", "B", &b);
    assert_eq!(b.event("joined").await["peers"], serde_json::json!([]));
    let a = ["--expect-peers", "1", "--send", "ping", "--expect", "pong", "--timeout", "30s", "--json"];
    let (a, b) = tokio::join!(PeerProcess::join(&server, "ci", "A", &a).end(), b.end());
    assert_eq!((a.code, b.code), (Some(0), Some(0)), "{}{}", a.stderr, b.stderr);

    let events = a.events();
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(names[..4], ["joined", "connecting", "connected", "message"], "{:#?}", a.lines);
    assert!(events.windows(2).all(|two| two[0]["t_ms"].as_f64() <= two[1]["t_ms"].as_f64()));
    assert_eq!((&events[0]["peer_id"], &events[0]["room_id"]), (&"A".into(), &"ci".into()));
    assert_eq!(events[0]["peers"], serde_json::json!(["B"]));
    let (pair, timings) = (&events[2]["pair"], &events[2]["timings_ms"]);
    assert_eq!(pair["protocol"], "udp");
    let known = |kind: &serde_json::Value| ["host", "prflx"].contains(&kind.as_str().unwrap_or_default());
    assert!(known(&pair["local"]) && known(&pair["remote"]), "{pair}");
    let time = |phase: &str| timings[phase].as_f64().unwrap_or(f64::NAN);
    let sum = time("signaling") + time("ice") + time("dtls") + time("sctp");
    assert!((sum - time("total")).abs() < 1.0, "{timings}");
    let message = (&events[3]["from"], &events[3]["text"], &events[3]["via"]);
    assert_eq!(message, (&"B".into(), &"pong".into(), &"p2p".into()));
    let done = events.last().unwrap_or(&serde_json::Value::Null);
    assert_eq!((&done["event"], &done["ok"], &done["unmet"]), (&"done".into(), &true.into(), &serde_json::json!([])));
    Ok(())
}

#[tokio::test]
async fn a_message_through_the_server_meets_an_expectation_as_well() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut peer = PeerProcess::join(&server, "ci", "A", &["--expect", "hello", "--json"]);
    peer.event("joined").await;
    let mut client = server.join("ci", "old").await?;
    client.send(serde_json::json!({ "type": "broadcast", "data": "hello" })).await?;
    let message = peer.event("message").await;
    assert_eq!((&message["text"], &message["via"]), (&"hello".into(), &"relay".into()));
    assert_eq!(peer.end().await.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn three_send_to_all() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let started: Vec<PeerProcess> = ["A", "B", "C"]
        .map(|id| {
            let others = ["A", "B", "C"].into_iter().filter(|other| *other != id);
            let expected: Vec<String> = others.map(|other| format!("from {other}")).collect();
            let send = format!("from {id}");
            let mut arguments = vec!["--expect-peers", "2", "--send", &send, "--json"];
            expected.iter().for_each(|text| arguments.extend(["--expect", text.as_str()]));
            PeerProcess::join(&server, "ci", id, &arguments)
        })
        .into();
    for peer in started {
        let ended = peer.end().await;
        assert_eq!(ended.code, Some(0), "{:#?}{}", ended.lines, ended.stderr);
    }
    Ok(())
}
