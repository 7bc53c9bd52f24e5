//! Scenarios on a network that loses packets.

#![allow(clippy::disallowed_methods, reason = "the test that runs inside is told so by a variable")]

use std::{
    ffi::OsStr,
    process::{Command, Output},
};

use anyhow::{Context, ensure};

const INSIDE: &str = "GRTC_TEST_INSIDE_NAMESPACE";
const TABLES: [&str; 2] = ["iptables", "ip6tables"];

/// Runs a scenario in a network namespace that has loopback alone and drops the packets that match. Each packet passes
/// once, whichever way it goes.
///
/// - `test`: the full name of the calling test. Its executable is run again inside, for this one test.
/// - `matches`: what `iptables` is told to match, such as `["-p", "udp"]`.
///
/// Returns how many packets were dropped: `None` inside, and for who is not root, since only root makes namespaces.
///
/// # Errors
/// When `ip` (Debian: iproute2) or `iptables` is missing or refuses, or the scenario fails.
pub fn dropping(
    test: &str,
    matches: &[&str],
    scenario: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<Option<u64>> {
    if std::env::var_os(INSIDE).is_some() {
        tokio::runtime::Runtime::new()?.block_on(scenario)?;
        return Ok(None);
    }
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: it takes root to make a network namespace");
        return Ok(None);
    }
    let namespace = Namespace::new()?;
    for table in TABLES {
        run(namespace.exec(table).args(["-A", "INPUT"]).args(matches).args(["-j", "DROP"]))?;
    }
    let own = std::env::current_exe()?;
    println!("{}", run(namespace.exec(own).args(["--exact", test, "--nocapture"]).env(INSIDE, "1"))?);
    let mut dropped = 0;
    for table in TABLES {
        let listing = run(namespace.exec(table).args(["-nvxL", "INPUT"]))?;
        let rule = listing.lines().nth(2).and_then(|rule| rule.split_whitespace().next());
        dropped += rule.with_context(|| format!("no rule in {listing}"))?.parse::<u64>()?;
    }
    println!("{dropped} packets were dropped");
    Ok(Some(dropped))
}

/// It goes when it is dropped.
struct Namespace(String);

impl Namespace {
    fn new() -> anyhow::Result<Self> {
        let name = format!("grtc-test-{}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &name]))?;
        let namespace = Self(name);
        run(namespace.exec("ip").args(["link", "set", "lo", "up"]))?;
        Ok(namespace)
    }

    fn exec(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).arg(program);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // At worst an empty namespace stays.
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

/// What it prints.
fn run(command: &mut Command) -> anyhow::Result<String> {
    let Output { status, stdout, stderr } = command.output().with_context(|| format!("can't run {command:?}"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    ensure!(status.success(), "{command:?}: {status}\n{stdout}{stderr}");
    Ok(stdout.into_owned())
}
