//! A network that loses every tenth packet in each direction: a hundred pairs open all the same, since a connection whose
//! handshake hangs is replaced.
//!
//! The test makes a network namespace of its own with `ip` and `iptables`, for which it has to be root.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what a test starts has to start")]

mod hub;

use std::{
    process::{Command, Output},
    time::Duration,
};

use grtc_peer::Event;
use hub::{Hub, until};
use tokio::{task::JoinSet, time::Instant};

const PAIRS: usize = 100;
/// Pairs that open at the same time: more would measure how long the handshakes of an unoptimised build take.
const AT_ONCE: usize = 20;
const LOSS: &str = "0.1";
const WITHIN: Duration = Duration::from_secs(30);
const INSIDE: &str = "GRTC_TEST_INSIDE_NAMESPACE";

/// A network namespace with loopback alone. It goes when it is dropped.
struct Namespace(String);

impl Namespace {
    fn new() -> Self {
        let namespace = Self(format!("grtc-loss-{}", std::process::id()));
        run(Command::new("ip").args(["netns", "add", &namespace.0]));
        run(namespace.exec("ip").args(["link", "set", "lo", "up"]));
        namespace
    }

    fn exec(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }

    /// Each packet passes the input of loopback once, whichever way it goes.
    fn lose(&self, share: &str) {
        for iptables in ["iptables", "ip6tables"] {
            let rule = ["-A", "INPUT", "-p", "udp", "-m", "statistic", "--mode", "random", "--probability", share];
            run(self.exec(iptables).args(rule).args(["-j", "DROP"]));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // At worst an empty namespace stays.
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

fn run(command: &mut Command) -> Output {
    let output =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error} (iproute2 and iptables are needed)"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

#[test]
fn a_hundred_pairs_open_within_thirty_seconds() {
    if std::env::var_os(INSIDE).is_some() {
        return tokio::runtime::Runtime::new().unwrap().block_on(open_all());
    }
    if !is_root() {
        println!("skipped: a network namespace that loses packets needs root");
        return;
    }
    let namespace = Namespace::new();
    namespace.lose(LOSS);
    let this = std::env::current_exe().unwrap();
    let mut inside = namespace.exec(this.to_str().unwrap());
    let name = "a_hundred_pairs_open_within_thirty_seconds";
    let output = run(inside.args(["--exact", name, "--nocapture"]).env(INSIDE, "1"));
    println!("{}", String::from_utf8_lossy(&output.stdout));
    let counters = run(namespace.exec("iptables").args(["-nvxL", "INPUT"]));
    let counters = String::from_utf8_lossy(&counters.stdout).into_owned();
    let dropped: u64 = counters.lines().nth(2).and_then(|rule| rule.split_whitespace().next()?.parse().ok()).unwrap();
    println!("{dropped} packets were lost");
    assert!(dropped > 100, "{counters}");
}

async fn open_all() {
    let (mut opening, mut times) = (JoinSet::new(), Vec::new());
    for _ in 0..PAIRS {
        if opening.len() == AT_ONCE {
            times.push(opening.join_next().await.unwrap().unwrap());
        }
        opening.spawn(open_one());
    }
    times.extend(opening.join_all().await);
    times.sort();
    let again = times.iter().filter(|time| **time > Duration::from_secs(4)).count();
    println!("{PAIRS} pairs: p50 {:?}, p90 {:?}, max {:?}, {again} after 4 s", times[50], times[90], times[99]);
    assert!(times[99] <= WITHIN, "{times:?}");
}

/// A pair that opens on both sides, and how long that took.
async fn open_one() -> Duration {
    let hub = Hub::default();
    let (_a, mut a_events) = hub.join("a").await;
    let (_b, mut b_events) = hub.join("b").await;
    let begin = Instant::now();
    let is_open = |event: &Event| matches!(event, Event::Connected { .. }).then_some(());
    tokio::join!(until(&mut a_events, is_open), until(&mut b_events, is_open));
    begin.elapsed()
}
