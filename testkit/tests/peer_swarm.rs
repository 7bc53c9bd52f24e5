//! `grtc-peer swarm`: many peers of one process.

use grtc_testkit::{PeerProcess, TestServer};

#[tokio::test]
async fn all_channels_open_and_the_spread_is_printed() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let arguments = ["swarm", "mesh", "--peers", "6", "--json", "--server", &server.url("")];
    let ended = PeerProcess::start(&arguments).end().await;
    let result = &ended.events()[0];
    assert_eq!((ended.code, ended.lines.len()), (Some(0), 1), "{}", ended.stderr);
    assert_eq!(
        (&result["peers"], &result["channels_open"], &result["channels_expected"]),
        (&6.into(), &15.into(), &15.into())
    );
    assert_eq!(result["ok"], true);
    let ms = |name: &str| result["ms"][name].as_f64().unwrap_or(f64::NAN);
    assert!(ms("p50") > 0.0 && ms("p50") <= ms("p99") && ms("p99") <= ms("max") && ms("max") <= ms("all"), "{result}");
    let rooms = server.http().get("/rooms").await?.json()?;
    assert_eq!(rooms["total"], 0, "everybody has left");
    Ok(())
}

#[tokio::test]
async fn stays_for_company_when_asked_to() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let arguments = ["swarm", "mesh", "--peers", "3", "--json", "--stay", "--server", &server.url("")];
    let mut swarm = PeerProcess::start(&arguments);
    assert!(swarm.line().await.is_some_and(|line| line.contains("\"ok\":true")));
    let mut peer = PeerProcess::join(&server, "mesh", "me", &["--expect-peers", "3", "--json"]);
    for _ in 0..3 {
        peer.event("connected").await;
    }
    assert_eq!(peer.end().await.code, Some(0));
    swarm.interrupt();
    assert_eq!(swarm.end().await.code, Some(130));
    Ok(())
}

/// A swarm under these limits of open files, soft and hard.
async fn with_files(server: &TestServer, limits: &str) -> (Option<i32>, serde_json::Value) {
    let arguments = ["swarm", limits, "--peers", "8", "--json", "--server", &server.url("")];
    let under = ["prlimit", &format!("--nofile={limits}")];
    let ended = PeerProcess::start_as(&under, &arguments, std::process::Stdio::null()).end().await;
    (ended.code, ended.events().remove(0))
}

#[tokio::test]
async fn a_low_soft_limit_of_open_files_is_raised() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let (code, result) = with_files(&server, "64:4096").await;
    assert_eq!((code, &result["channels_open"]), (Some(0), &28.into()), "{result}");
    Ok(())
}

#[tokio::test]
async fn too_few_open_files_are_named_at_once_and_are_70() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for limits in ["64:64", "16:16"] {
        let begin = std::time::Instant::now();
        let (code, result) = with_files(&server, limits).await;
        assert_eq!((code, &result["error"]["code"]), (Some(70), &"out_of_files".into()), "{limits}: {result}");
        assert!(result["error"]["message"].as_str().is_some_and(|message| message.contains("ulimit -n")), "{result}");
        assert!(begin.elapsed().as_secs() < 20, "at once, and not after the tries of a connection");
    }
    Ok(())
}
