//! `grtc-peer` as a process of its own.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test support module")]

use std::{path::PathBuf, process::Stdio, time::Duration};

use grtc_testkit::TestServer;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

const WAIT: Duration = Duration::from_secs(60);

/// A running `grtc-peer`. Dropping it kills it.
pub(crate) struct PeerProcess {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<String>,
    pub(crate) stderr: String,
}

/// The binary: `GRTC_PEER_BIN`, or the one that was built beside this test.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("GRTC_PEER_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    let beside = own.ancestors().nth(2).unwrap().join("grtc-peer");
    assert!(beside.is_file(), "build it first: cargo build -p grtc-peer");
    beside
}

impl PeerProcess {
    /// Starts it with these arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GRTC_")) {
            command.env_remove(name);
        }
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = Some(BufReader::new(child.stdout.take().unwrap()).lines());
        Self { child, lines }
    }

    /// Joins a room of this server.
    pub(crate) fn join(server: &TestServer, room: &str, id: &str, arguments: &[&str]) -> Self {
        let url = server.url("");
        Self::start(&[&["join", room, "--id", id, "--server", &url], arguments].concat())
    }

    /// The next line of stdout.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let lines = self.lines.as_mut().expect("its output was closed");
        timeout(WAIT, lines.next_line()).await.expect("no line came").unwrap()
    }

    /// Reads events until one of this name.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        let mut seen = Vec::new();
        while let Some(line) = self.line().await {
            let event: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            if event["event"] == name {
                return event;
            }
            seen.push(line);
        }
        panic!("it ended before {name:?}, after {seen:#?}");
    }

    /// Writes a line to its stdin.
    pub(crate) async fn type_line(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// Reads no more of its stdout.
    pub(crate) fn close_stdout(&mut self) {
        self.lines = None;
    }

    /// Ends its stdin.
    pub(crate) fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Waits for its end without reading what it prints.
    pub(crate) async fn end_unread(mut self, within: Duration) -> Option<i32> {
        timeout(within, self.child.wait()).await.expect("it does not end").unwrap().code()
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Ended {
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            lines.push(line);
        }
        let output = timeout(WAIT, self.child.wait_with_output()).await.expect("it does not end").unwrap();
        Ended { code: output.status.code(), lines, stderr: String::from_utf8(output.stderr).unwrap() }
    }
}

impl Ended {
    /// The lines as JSON.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }
}
