//! When `grtc-peer join` says that all is well: exit code 0 means delivered.

use futures_util::future::join_all;
use grtc_testkit::{PeerEnded, PeerProcess, TestServer};
use serde_json::{Value, json};

/// What of it is unmet, and how it ended.
fn end(ended: &PeerEnded) -> (Option<i32>, Value) {
    (ended.code, ended.events().last().map(|done| done["unmet"].clone()).unwrap_or_default())
}

const UNDELIVERED: &str = "not everything sent was delivered";
const LINES_LEFT: &str = "not every line of stdin was delivered";
const NOT_ENDED: &str = "stdin was not read to its end";
const NOBODY: &str = "0 of 1 expected peers connected";

/// Stdin of a trial: lines, and whether it ends.
type Stdin = (&'static [&'static str], bool);

#[tokio::test]
async fn in_an_empty_room() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let trials: [(&[&str], Stdin, i32, &[&str]); 9] = [
        (&["--send", "x"], (&[], true), 60, &[UNDELIVERED]),
        (&["--send", "x", "--expect-peers", "1"], (&[], true), 60, &[NOBODY, UNDELIVERED]),
        (&["--until-eof"], (&[], true), 0, &[]),
        (&["--until-eof"], (&[], false), 60, &[NOT_ENDED]),
        (&["--until-eof"], (&["x"], true), 60, &[NOT_ENDED, LINES_LEFT]),
        (&["--until-eof", "--expect-peers", "1"], (&["x"], true), 60, &[NOBODY, NOT_ENDED]),
        (&["--until-eof", "--send", "x"], (&[], true), 60, &[UNDELIVERED, NOT_ENDED]),
        (&[], (&["x"], true), 60, &[LINES_LEFT]),
        (&[], (&[], true), 0, &[]),
    ];
    // Each in a room of its own, all at once: joining takes its time on a busy machine, and the time that they have counts it.
    let ended = trials.iter().enumerate().map(async |(number, (arguments, (lines, ends), ..))| {
        let arguments = [*arguments, &["--json", "--timeout", "3s"]].concat();
        let mut peer = PeerProcess::join(&server, &format!("r{number}"), "A", &arguments);
        for line in *lines {
            peer.type_line(line).await;
        }
        if *ends {
            peer.close_stdin();
        }
        end(&peer.end().await)
    });
    let ended = join_all(ended).await;
    for (ended, (arguments, stdin, code, unmet)) in ended.into_iter().zip(trials) {
        assert_eq!(ended, (Some(code), json!(unmet)), "{arguments:?} {stdin:?}");
    }
    Ok(())
}

#[tokio::test]
async fn with_one_who_listens() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let trials: [(&[&str], Stdin, &[&str]); 5] = [
        (&["--send", "x", "--send", "y"], (&[], false), &["x", "y"]),
        (&["--send", "x", "--expect-peers", "1"], (&["not read"], true), &["x"]),
        (&["--until-eof"], (&["x", "y"], true), &["x", "y"]),
        (&["--until-eof", "--expect-peers", "1"], (&["x"], true), &["x"]),
        (&["--until-eof", "--send", "first"], (&["x"], true), &["first", "x"]),
    ];
    for (number, (arguments, (lines, ends), texts)) in trials.into_iter().enumerate() {
        let room = format!("r{number}");
        let mut witness = PeerProcess::join(&server, &room, "B", &["--json"]);
        witness.event("joined").await;
        let mut peer = PeerProcess::join(&server, &room, "A", &[arguments, &["--json"]].concat());
        for line in lines {
            peer.type_line(line).await;
        }
        if ends {
            peer.close_stdin();
        }
        let ended = peer.end().await;
        assert_eq!(end(&ended), (Some(0), json!([])), "{arguments:?}: {:?}{}", ended.lines, ended.stderr);
        for text in texts {
            assert_eq!(witness.event("message").await["text"], *text, "{arguments:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn with_as_many_as_are_waited_for() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut listening = ["B", "C"].map(|id| PeerProcess::join(&server, "r", id, &["--json"]));
    for peer in &mut listening {
        peer.event("joined").await;
    }
    let mut a = PeerProcess::join(&server, "r", "A", &["--until-eof", "--expect-peers", "2", "--json"]);
    a.type_line("x").await;
    a.close_stdin();
    let ended = a.end().await;
    assert_eq!(end(&ended), (Some(0), json!([])), "{}", ended.stderr);
    for peer in &mut listening {
        assert_eq!(peer.event("message").await["text"], "x");
    }
    Ok(())
}

/// What was acknowledged to nobody any more would wait for the next one who comes.
#[tokio::test]
async fn with_one_who_leaves_as_soon_as_it_has_all() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let trials: [(&[&str], &[&str]); 3] =
        [(&["--until-eof"], &["x", "y"]), (&["--until-eof"], &["y"]), (&["--send", "x", "--send", "y"], &[])];
    for (number, (arguments, lines)) in trials.into_iter().enumerate() {
        for sender_is_first in [true, false] {
            let room = format!("r{number}-{sender_is_first}");
            let start =
                |id, arguments: &[&str]| PeerProcess::join(&server, &room, id, &[arguments, &["--json"]].concat());
            let listens = ["--expect", "y", "--timeout", "30s"];
            let (mut a, b) = match sender_is_first {
                true => {
                    let mut a = start("A", arguments);
                    a.event("joined").await;
                    (a, start("B", &listens))
                }
                false => {
                    let mut b = start("B", &listens);
                    b.event("joined").await;
                    (start("A", arguments), b)
                }
            };
            for line in lines {
                a.type_line(line).await;
            }
            a.close_stdin();
            let (a, b) = tokio::join!(a.end(), b.end());
            assert_eq!((end(&a), end(&b)), ((Some(0), json!([])), (Some(0), json!([]))), "{arguments:?}: {}", a.stderr);
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_an_end_of_its_own_the_end_of_stdin_only_ends_the_sending() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut b = PeerProcess::join(&server, "r", "B", &["--json"]);
    b.event("joined").await;
    let mut a = PeerProcess::join(&server, "r", "A", &["--json"]);
    a.type_line("x").await;
    a.close_stdin();
    assert_eq!(b.event("message").await["text"], "x");
    b.type_line("still there?").await;
    assert_eq!(a.event("message").await["text"], "still there?");
    a.interrupt();
    assert_eq!(a.end().await.code, Some(130));
    Ok(())
}

#[tokio::test]
async fn a_line_typed_to_nobody_says_so_and_goes_to_the_first_who_comes() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = PeerProcess::join(&server, "r", "A", &["--json"]);
    a.event("joined").await;
    a.type_line("hello?").await;
    assert_eq!(a.event("error").await["code"], "nobody_there");
    let mut b = PeerProcess::join(&server, "r", "B", &["--json"]);
    assert_eq!(b.event("message").await["text"], "hello?");
    Ok(())
}

#[tokio::test]
async fn stdin_that_can_not_be_read_is_70() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let directory = std::fs::File::open("/")?;
    let arguments = ["join", "r", "--server", &server.url(""), "--until-eof", "--json"];
    let ended = PeerProcess::start_as(&[], &arguments, directory).end().await;
    assert_eq!(end(&ended), (Some(70), json!(["stdin could not be read"])), "{:?}", ended.lines);
    Ok(())
}
