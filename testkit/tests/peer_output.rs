//! What `grtc-peer` prints, and what happens when nobody reads it.

use std::time::Duration;

use grtc_testkit::{PeerProcess, TestServer};

/// More than a pipe holds, and no more than a peer takes that can't print.
const LINES: usize = 250;
const SOON: Duration = Duration::from_secs(10);

/// A peer whose output nobody reads, and which has more to print than fits.
async fn blocked(server: &TestServer, arguments: &[&str]) -> PeerProcess {
    let mut blocked = PeerProcess::join(server, "r", "blocked", &[arguments, &["--json"]].concat());
    blocked.event("joined").await;
    let text = "x".repeat(1_000);
    let sends: Vec<&str> = std::iter::repeat_n(["--send", &text], LINES).flatten().collect();
    let arguments = [&["--expect-peers", "1", "--json"], &sends[..]].concat();
    let sender = PeerProcess::join(server, "r", "sender", &arguments).end().await;
    assert_eq!(sender.code, Some(0), "{}", sender.stderr);
    blocked
}

#[tokio::test]
async fn ctrl_c_ends_a_peer_whose_output_nobody_reads() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let peer = blocked(&server, &[]).await;
    peer.interrupt();
    assert_eq!(peer.end_unread(SOON).await, Some(130));
    Ok(())
}

#[tokio::test]
async fn so_does_its_time() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let peer = blocked(&server, &["--expect", "never", "--timeout", "5s"]).await;
    assert_eq!(peer.end_unread(SOON).await, Some(60));
    Ok(())
}

#[tokio::test]
async fn what_was_delivered_is_printed_once_it_is_read() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut peer = blocked(&server, &[]).await;
    for _ in 0..LINES {
        peer.event("message").await;
    }
    Ok(())
}

#[tokio::test]
async fn a_script_whose_output_was_closed_still_says_what_is_unmet() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut peer = PeerProcess::join(&server, "r", "a", &["--expect", "x", "--timeout", "20s", "--json"]);
    peer.event("joined").await;
    peer.close_stdout();
    let _other = server.join("r", "other").await?;
    assert_eq!(peer.end_unread(SOON).await, Some(60));
    Ok(())
}

#[tokio::test]
async fn a_swarm_that_is_not_let_in_prints_its_object_all_the_same() {
    let ended =
        PeerProcess::start(&["swarm", "r", "--peers", "3", "--server", "ws://127.0.0.1:9", "--json"]).end().await;
    let events = ended.events();
    assert_eq!((ended.code, events.len()), (Some(20), 1), "{:?}", ended.lines);
    let result = &events[0];
    assert_eq!((&result["ok"], &result["channels_expected"]), (&false.into(), &3.into()));
    assert_eq!(result["error"]["code"], "unreachable");
}

#[tokio::test]
async fn a_server_that_does_not_answer_does_not_outlast_the_time() -> anyhow::Result<()> {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", silent.local_addr()?);
    for arguments in [&["join", "r", "--expect-peers", "1"][..], &["swarm", "r", "--peers", "2"]] {
        let arguments = [arguments, &["--timeout", "300ms", "--server", &url, "--json"]].concat();
        let ended = tokio::time::timeout(Duration::from_secs(30), PeerProcess::start(&arguments).end()).await?;
        assert_eq!(ended.code, Some(20), "{:?}", ended.lines);
        assert!(ended.lines.concat().contains("timeout"), "{:?}", ended.lines);
    }
    Ok(())
}

#[tokio::test]
async fn a_line_that_is_too_long_is_told() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut peer = PeerProcess::join(&server, "r", "a", &["--json"]);
    peer.event("joined").await;
    peer.type_line(&"x".repeat(300_000)).await;
    let error = peer.event("error").await;
    assert_eq!(error["code"], "not_sent");
    Ok(())
}

#[tokio::test]
async fn bash_completes_the_options_of_a_command() {
    let script = PeerProcess::start(&["completions", "bash"]).end().await.lines.join("\n");
    let ask = "COMP_WORDS=(grtc-peer join --exp); COMP_CWORD=2; _grtc__peer grtc-peer --exp join; echo ${COMPREPLY[@]}";
    let bash = std::process::Command::new("bash").args(["-c", &format!("{script}\n{ask}")]).output().unwrap();
    let offered = String::from_utf8_lossy(&bash.stdout).into_owned();
    assert!(offered.contains("--expect-peers") && offered.contains("--expect"), "{offered}{bash:?}");
}

/// Takes five seconds: so long one who does not read is waited for.
#[tokio::test]
async fn one_who_does_not_read_does_not_stop_the_others() -> anyhow::Result<()> {
    const LINES: usize = 2_000;
    let server = TestServer::start().await?;
    let mut talker = PeerProcess::join(&server, "r", "talker", &["--json"]);
    talker.event("joined").await;
    // One after the other, so that the talker waits for both.
    let mut deaf = PeerProcess::join(&server, "r", "deaf", &["--json"]);
    deaf.event("connected").await;
    let mut reader = PeerProcess::join(&server, "r", "reader", &["--json"]);
    reader.event("connected").await;
    reader.event("connected").await;
    for _ in 0..2 {
        talker.event("connected").await;
    }
    // Twenty megabytes: more than is held for one who does not read.
    let line = "x".repeat(10_000);
    let talk = async {
        for _ in 0..LINES {
            talker.type_line(&line).await;
        }
        talker.event("error").await
    };
    let read = async {
        for _ in 0..LINES {
            reader.event("message").await;
        }
    };
    let (error, ()) = tokio::join!(talk, read);
    assert!(error["message"].as_str().is_some_and(|message| message.starts_with("deaf ")), "{error}");
    Ok(())
}
