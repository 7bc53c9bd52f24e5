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
