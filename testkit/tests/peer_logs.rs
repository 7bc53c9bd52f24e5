//! What `grtc-peer` logs on stderr, and that nobody has to read it.

use std::process::Stdio;

use grtc_testkit::{PeerEnded, PeerProcess, TestServer};
use serde_json::json;

/// A peer that connects to another one and ends, with these arguments; nobody reads its stderr meanwhile.
async fn logging(under: &[&str], arguments: &[&str]) -> anyhow::Result<PeerEnded> {
    let server = TestServer::start().await?;
    let mut b = PeerProcess::join(&server, "r", "B", &["--json"]);
    b.event("joined").await;
    let url = server.url("");
    let join = ["join", "r", "--server", &url, "--send", "x", "--json"];
    Ok(PeerProcess::start_as(under, &[&join, arguments].concat(), Stdio::null()).end().await)
}

#[tokio::test]
async fn debug_has_our_own_lines_and_trace_the_librarys_as_well() -> anyhow::Result<()> {
    let quiet = logging(&[], &[]).await?;
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    let debug = logging(&[], &["--log-level", "debug"]).await?;
    assert!(debug.code == Some(0) && debug.stderr.contains("a pair changed"), "{}", debug.stderr);
    assert!(!debug.stderr.contains("rtc_ice"), "{}", debug.stderr);
    let asked = logging(&["env", "RUST_LOG=rtc_ice=debug"], &[]).await?;
    assert!(asked.stderr.contains("rtc_ice") && !asked.stderr.contains("grtc_peer"), "{}", asked.stderr);
    Ok(())
}

#[tokio::test]
async fn nobody_has_to_read_the_log() -> anyhow::Result<()> {
    // Far more than a pipe holds.
    let trace = logging(&[], &["--log-level", "trace"]).await?;
    assert!(trace.code == Some(0) && trace.stderr.contains("rtc"), "{:?}: {}", trace.code, trace.stderr.len());
    for secret in ["resume=", "resume_token", "ice_servers"] {
        assert!(!trace.stderr.contains(secret), "{secret}");
    }
    let closed = ["sh", "-c", "exec \"$0\" \"$@\" 2>&-"];
    assert_eq!(logging(&closed, &["--log-level", "trace"]).await?.code, Some(0));
    let full = ["sh", "-c", "exec \"$0\" \"$@\" 2>/dev/full"];
    assert_eq!(logging(&full, &["--log-level", "trace"]).await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn an_offer_that_is_refused_is_so_to_its_sender_in_an_event_and_at_debug() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = PeerProcess::join(&server, "r", "A", &["--json", "--log-level", "debug"]);
    a.event("joined").await;
    let mut b = server.join("r", "B").await?;
    let offer =
        json!({"type": "offer", "sdp": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 RTP/AVP 96\r\n"});
    b.send(json!({"type": "offer", "target_peer_id": "A", "attempt": "b-1", "offer": offer})).await?;
    let signal = b.skip_to("webrtc_signal").await?["signal"].clone();
    let why = "it has no data channel: no m=application line with DTLS/SCTP";
    let told = (&signal["type"], &signal["attempt"], &signal["refused"]);
    assert_eq!(told, (&json!("ice_candidate"), &json!("b-1"), &json!(why)));
    let event = a.event("error").await;
    let told = (&event["code"], &event["peer_id"], &event["message"]);
    let message = format!("its offer can't be used: {why}");
    assert_eq!(told, (&json!("description_refused"), &json!("B"), &json!(message)));
    a.interrupt();
    let stderr = a.end().await.stderr;
    let is_said = |line: &str| line.contains("a description was refused") && line.contains(why);
    assert!(stderr.lines().any(is_said), "{stderr}");
    Ok(())
}
