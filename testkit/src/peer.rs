//! `grtc-peer` as a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on ends here")]

use std::{process::Stdio, time::Duration};

use grtc_load::process::{bare, binary};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::TestServer;

const WAIT: Duration = Duration::from_secs(60);

/// A running `grtc-peer`. Dropping it kills it.
pub struct PeerProcess {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

/// How it ended.
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output and was not read before.
    pub lines: Vec<String>,
    /// What it wrote to its standard error.
    pub stderr: String,
}

impl PeerProcess {
    /// Starts it with these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_as(&[], arguments, Stdio::piped())
    }

    /// Starts it by a command that turns into the one that follows it, as `["prlimit", "--nofile=64"]`, and with this stdin.
    pub fn start_as(under: &[&str], arguments: &[&str], stdin: impl Into<Stdio>) -> Self {
        let binary = binary("grtc-peer").unwrap();
        let mut command = match under {
            [] => bare(binary),
            [program, options @ ..] => {
                let mut command = bare(program);
                command.args(options).arg(binary);
                command
            }
        };
        command.args(arguments).stdin(stdin).stderr(Stdio::piped());
        Self::of(command)
    }

    /// Starts this command: another peer, whose stdin and stdout are like those of `grtc-peer join --json`.
    pub fn of(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = Some(BufReader::new(child.stdout.take().unwrap()).lines());
        Self { child, lines }
    }

    /// Joins a room of this server.
    pub fn join(server: &TestServer, room: &str, id: &str, arguments: &[&str]) -> Self {
        let url = server.url("");
        Self::start(&[&["join", room, "--id", id, "--server", &url], arguments].concat())
    }

    /// The next line of stdout.
    pub async fn line(&mut self) -> Option<String> {
        let lines = self.lines.as_mut().expect("its output was closed");
        timeout(WAIT, lines.next_line()).await.expect("no line came").unwrap()
    }

    /// Reads events until one of this name.
    pub async fn event(&mut self, name: &str) -> Value {
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
    pub async fn type_line(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// Reads no more of its stdout.
    pub fn close_stdout(&mut self) {
        self.lines = None;
    }

    /// Ends its stdin.
    pub fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// The next line of stdout, however long it takes; `None` when it has ended. Nothing is lost when the wait is given up.
    pub async fn any_line(&mut self) -> Option<String> {
        self.lines.as_mut().expect("its output was closed").next_line().await.unwrap()
    }

    /// The number of its process.
    ///
    /// # Panics
    /// When it has ended.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends it a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits for its end without reading what it prints.
    pub async fn end_unread(mut self, within: Duration) -> Option<i32> {
        timeout(within, self.child.wait()).await.expect("it does not end").unwrap().code()
    }

    /// Waits for its end.
    pub async fn end(mut self) -> Ended {
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
    pub fn events(&self) -> Vec<Value> {
        self.lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }
}
