//! `grtc-peer` in text mode: stdin to everybody, messages on stdout, everything else on stderr.

use grtc_testkit::{PeerProcess, TestServer};

#[tokio::test]
async fn lines_go_to_everybody_and_come_as_name_and_text() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = PeerProcess::join(&server, "r", "A", &[]);
    // Typed before anybody is there: it waits.
    a.type_line("hello").await;
    let mut b = PeerProcess::join(&server, "r", "B", &[]);
    assert_eq!(b.line().await.as_deref(), Some("A: hello"));
    b.type_line("to you \u{1b}[31m\u{202e}too").await;
    assert_eq!(a.line().await.as_deref(), Some("B: to you \\u{1b}[31m\\u{202e}too"));
    a.interrupt();
    let a = a.end().await;
    assert_eq!((a.code, a.lines.len()), (Some(130), 0));
    assert!(a.stderr.contains("connected to B") && !a.stderr.contains('\u{1b}'), "{}", a.stderr);
    Ok(())
}

#[tokio::test]
async fn the_end_of_stdin_ends_only_the_sending() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = PeerProcess::join(&server, "r", "A", &["--timeout", "20s"]);
    a.type_line("x").await;
    a.close_stdin();
    let mut b = PeerProcess::join(&server, "r", "B", &[]);
    assert_eq!(b.line().await.as_deref(), Some("A: x"));
    b.type_line("are you there?").await;
    assert_eq!(a.line().await.as_deref(), Some("B: are you there?"));
    Ok(())
}

#[tokio::test]
async fn help_teaches_and_completions_complete() {
    let help = PeerProcess::start(&["--help"]).end().await;
    let help_text = help.lines.join("\n");
    assert!(help.code == Some(0) && help_text.contains("Exit codes") && help_text.contains("swarm"), "{help_text}");
    let join = PeerProcess::start(&["join", "--help"]).end().await.lines.join("\n");
    assert!(join.contains("Examples:") && join.contains("--expect-peers"), "{join}");
    for shell in ["bash", "zsh", "fish"] {
        let script = PeerProcess::start(&["completions", shell]).end().await;
        assert!(script.code == Some(0) && script.lines.join("\n").contains("grtc-peer"), "{shell}");
    }
}
