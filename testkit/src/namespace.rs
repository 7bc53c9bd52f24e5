//! Scenarios on a network of their own: one that loses packets, or two machines and the cable between them. It takes root.

#![allow(clippy::disallowed_methods, reason = "the test that runs inside is told so by a variable")]

use std::{
    ffi::OsStr,
    net::Ipv4Addr,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, ensure};
use tokio::runtime::Runtime;

/// Set within a namespace: the name of the other one, if there is one.
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
        Runtime::new()?.block_on(scenario)?;
        return Ok(None);
    }
    if !is_root() {
        return Ok(None);
    }
    let namespace = Namespace::new()?;
    for table in TABLES {
        run(namespace.exec(table).args(["-A", "INPUT"]).args(matches).args(["-j", "DROP"]))?;
    }
    namespace.run_again(test, "")?;
    let mut dropped = 0;
    for table in TABLES {
        let listing = run(namespace.exec(table).args(["-nvxL", "INPUT"]))?;
        let rule = listing.lines().nth(2).and_then(|rule| rule.split_whitespace().next());
        dropped += rule.with_context(|| format!("no rule in {listing}"))?.parse::<u64>()?;
    }
    println!("{dropped} packets were dropped");
    Ok(Some(dropped))
}

/// Runs a scenario in a network namespace that is one of two machines, each of which has loopback alone at first.
///
/// `test` is the full name of the calling test. Its executable is run again inside, for this one test. Who is not root runs
/// nothing.
///
/// # Errors
/// When `ip` (Debian: iproute2) is missing or refuses, or the scenario fails.
pub fn between_two<S>(test: &str, scenario: impl FnOnce(Machines) -> S) -> anyhow::Result<()>
where
    S: Future<Output = anyhow::Result<()>>,
{
    if let Ok(there) = std::env::var(INSIDE) {
        return Runtime::new()?.block_on(scenario(Machines { there }));
    }
    if !is_root() {
        return Ok(());
    }
    let (here, there) = (Namespace::new()?, Namespace::new()?);
    here.run_again(test, &there.0)
}

/// The machine that a scenario runs on, and another one.
#[derive(Debug)]
pub struct Machines {
    there: String,
}

impl Machines {
    /// The address here, and the first one there.
    pub const HERE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
    /// See [`Machines::HERE`].
    pub const THERE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);

    /// Puts a cable between the two, which is the way to everywhere from there.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn plug_in(&self) -> anyhow::Result<()> {
        ip(&format!("link add cable type veth peer name cable netns {}", self.there))?;
        ip(&format!("addr add {}/24 dev cable", Self::HERE))?;
        ip("link set cable up")?;
        ip("route add default dev cable")?;
        self.ip_there("link set cable up")?;
        self.move_to(Self::THERE)
    }

    /// Replaces the address there. What is open over TCP ends at once, on both machines: who loses an address of its own
    /// would notice by its heartbeat only.
    ///
    /// # Errors
    /// When `ip` or `ss` refuses.
    pub fn move_to(&self, address: Ipv4Addr) -> anyhow::Result<()> {
        run(self.exec("ss").args(["-t", "-K", "dst", &Self::HERE.to_string()]))?;
        self.ip_there("addr flush dev cable")?;
        self.ip_there(&format!("addr add {address}/24 dev cable"))?;
        self.ip_there("route add default dev cable")
    }

    /// What turns into a program on the other machine that follows it.
    #[must_use]
    pub fn there(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.there]
    }

    fn exec(&self, program: &str) -> Command {
        let [ip, words @ ..] = self.there();
        let mut command = Command::new(ip);
        command.args(words).arg(program);
        command
    }

    fn ip_there(&self, words: &str) -> anyhow::Result<()> {
        run(self.exec("ip").args(words.split(' '))).map(drop)
    }
}

/// Runs `ip` with these words on the machine that a scenario runs on.
///
/// # Errors
/// When it refuses.
pub fn ip(words: &str) -> anyhow::Result<()> {
    run(Command::new("ip").args(words.split(' '))).map(drop)
}

fn is_root() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        println!("skipped: it takes root to make a network namespace");
    }
    is_root
}

/// It goes when it is dropped.
struct Namespace(String);

impl Namespace {
    fn new() -> anyhow::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("grtc-test-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        ip(&format!("netns add {name}"))?;
        let namespace = Self(name);
        run(namespace.exec("ip").args(["link", "set", "lo", "up"]))?;
        Ok(namespace)
    }

    fn exec(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).arg(program);
        command
    }

    /// Runs this executable inside, for this one test.
    fn run_again(&self, test: &str, other: &str) -> anyhow::Result<()> {
        let own = std::env::current_exe()?;
        println!("{}", run(self.exec(own).args(["--exact", test, "--nocapture"]).env(INSIDE, other))?);
        Ok(())
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
