//! Measures on this machine and prints one JSON object a line:
//!
//! - `throughput`: one channel between two processes, messages of 4 to 256 KiB, and the datagrams that a full UDP socket
//!   dropped meanwhile
//! - `ping`: 64 bytes there and back, 5,000 times
//! - `burst`: 1,000 short messages at once, 100 times: the longest pause between two of a burst as they arrive
//! - `open`: from the start of `grtc-peer join` to its open channel, each time a fresh process
//! - `mesh`: all channels among 20 peers of one process
//!
//! One of these words as an argument measures that alone. `to ws://127.0.0.1:8001 lobby` sends 10 MB to somebody who is in that
//! room already, a browser for one, in messages of each of those lengths; `to ws://192.0.2.1:8001 figures 100` sends 100 MB,
//! to `receive ws://192.0.2.1:8001` at the other end of a path, for one.
//!
//! `cargo build --release -p grtc-server -p grtc-peer && cargo run --release -p grtc-peer --example figures`
//!
//! It starts `grtc-server` and `grtc-peer` from its own build directory.

#![allow(clippy::disallowed_methods, reason = "a program that starts two others and waits for them")]

mod channel;
mod receiver;

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use grtc_peer::{Config, Events, Peer};
use serde_json::{Value, json};

const OPENS: usize = 50;

/// A process that ends with this one.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new()?;
    let only = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["receive", server] => return runtime.block_on(runtime.spawn(receiver::run(server.to_owned())))?,
        ["to", server, room, ref megabytes @ ..] if megabytes.len() < 2 => {
            let (server, room) = (server.to_owned(), room.to_owned());
            let megabytes = megabytes.first().map_or(Ok(10), |megabytes| megabytes.parse())?;
            return runtime.block_on(runtime.spawn(channel::to(server, room, megabytes)))?;
        }
        [] => None,
        [only @ ("throughput" | "ping" | "burst" | "open" | "mesh")] => Some(only.to_owned()),
        _ => bail!(
            "it takes no argument, or one of throughput, ping, burst, open, mesh, or: to SERVER ROOM [MEGABYTES], receive SERVER"
        ),
    };
    let wanted = |figure: &str| only.as_deref().is_none_or(|only| only == figure);
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let _server = serve(port)?;
    let server = format!("ws://127.0.0.1:{port}");
    // On a thread of the runtime: the main thread would be woken for every message.
    if wanted("throughput") {
        for kib in [4, 16, 64, 256] {
            println!("{}", runtime.block_on(runtime.spawn(channel::throughput(server.clone(), kib * 1024)))??);
        }
    }
    if wanted("ping") {
        println!("{}", runtime.block_on(runtime.spawn(channel::pings(server.clone())))??);
    }
    if wanted("burst") {
        println!("{}", runtime.block_on(runtime.spawn(channel::bursts(server.clone())))??);
    }
    if wanted("open") {
        println!("{}", opens(&server)?);
    }
    if wanted("mesh") {
        println!("{}", mesh(&server)?);
    }
    Ok(())
}

/// A program of the same build, or the one that e.g. `GRTC_SERVER_BIN` names.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let variable = format!("{}_BIN", name.to_uppercase().replace('-', "_"));
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let example = std::env::current_exe()?;
    let program = example.parent().and_then(|folder| folder.parent()).context("no build directory")?.join(name);
    if !program.exists() {
        bail!("{} is not there: build it first", program.display());
    }
    Ok(program)
}

fn serve(port: u16) -> anyhow::Result<Running> {
    let mut command = Command::new(program("grtc-server")?);
    command.args([
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--database-url",
        "sqlite::memory:",
        "--message-rate",
        "0",
    ]);
    let server = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let begin = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begin.elapsed() > Duration::from_secs(10) {
            bail!("the server does not start");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

async fn join(server: &str, room: &str) -> anyhow::Result<(Peer, Events)> {
    Ok(Peer::join(Config::new(server.parse()?, room.parse()?)).await?)
}

/// From the start of a process to its open channel.
fn opens(server: &str) -> anyhow::Result<Value> {
    let mut there = Command::new(program("grtc-peer")?);
    there.args(["join", "open", "--id", "there", "--server", server, "--json"]).stdin(Stdio::piped());
    let mut there = Running(there.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
    let lines = there.0.stdout.take().context("no stdout")?;
    let (joined, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for _ in BufReader::new(lines).lines() {
            // Read on, so that it is not held up.
            let _ = joined.send(());
        }
    });
    wait.recv_timeout(Duration::from_secs(10)).context("the peer does not join")?;
    let mut times = Vec::new();
    for number in 0..OPENS {
        let begin = Instant::now();
        let mut command = Command::new(program("grtc-peer")?);
        command.args(["join", "open", "--id", &format!("open-{number}"), "--server", server, "--expect-peers", "1"]);
        let mut peer = Running(command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
        let lines = BufReader::new(peer.0.stdout.take().context("no stdout")?).lines();
        let mut opened = lines.map_while(Result::ok).filter(|line| line.contains(r#""event":"connected""#));
        opened.next().context("the channel does not open")?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        opened.for_each(drop);
        peer.0.wait()?;
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| (times[(times.len() * percent).div_ceil(100) - 1] * 10.0).round() / 10.0;
    Ok(json!({ "figure": "open", "runs": OPENS, "ms": { "p50": at(50), "p90": at(90), "p99": at(99) } }))
}

fn mesh(server: &str) -> anyhow::Result<Value> {
    let mut command = Command::new(program("grtc-peer")?);
    command.args(["swarm", "mesh", "--peers", "20", "--json", "--server", server]);
    let output = command.output()?;
    let mut result: Value = serde_json::from_slice(&output.stdout).context("the swarm printed no result")?;
    result["figure"] = json!("mesh");
    Ok(result)
}
