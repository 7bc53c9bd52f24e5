//! Scenarios on a network of their own: one that loses packets, or several machines and what is between them. It takes root.

#![allow(clippy::disallowed_methods, reason = "the test that runs inside is told so by a variable")]

mod machine;

use std::{
    ffi::OsStr,
    net::Ipv4Addr,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, ensure};
use tokio::runtime::Runtime;

pub use self::machine::{Machine, run};

/// Set within a namespace: the names of the other ones, if there are any.
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

/// Runs a scenario on one of two machines, each of which has loopback alone at first. See [`among`].
///
/// # Errors
/// When `ip` (Debian: iproute2) is missing or refuses, or the scenario fails.
pub fn between_two<S>(test: &str, scenario: impl FnOnce(Machines) -> S) -> anyhow::Result<()>
where
    S: Future<Output = anyhow::Result<()>>,
{
    among(test, |[there]| scenario(Machines { there }))
}

/// Runs a scenario in a network namespace that is one of several machines, each of which has loopback alone at first. The
/// scenario gets the others.
///
/// `test` is the full name of the calling test. Its executable is run again inside, for this one test. Who is not root runs
/// nothing.
///
/// # Errors
/// When `ip` (Debian: iproute2) is missing or refuses, or the scenario fails.
pub fn among<const OTHERS: usize, S>(test: &str, scenario: impl FnOnce([Machine; OTHERS]) -> S) -> anyhow::Result<()>
where
    S: Future<Output = anyhow::Result<()>>,
{
    if let Ok(others) = std::env::var(INSIDE) {
        let others: Vec<Machine> = others.split(' ').map(Machine::called).collect();
        let others = others.try_into().map_err(|others| anyhow::anyhow!("{others:?} are not {OTHERS}"))?;
        return Runtime::new()?.block_on(scenario(others));
    }
    if !is_root() {
        return Ok(());
    }
    let here = Namespace::new()?;
    let others = (0..OTHERS).map(|_| Namespace::new()).collect::<anyhow::Result<Vec<_>>>()?;
    let names: Vec<&str> = others.iter().map(|other| other.0.as_str()).collect();
    here.run_again(test, &names.join(" "))
}

/// The machine that a scenario runs on, and another one.
#[derive(Debug)]
pub struct Machines {
    there: Machine,
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
        ip("link add cable type veth peer name other")?;
        self.there.give("other", "cable")?;
        ip(&format!("addr add {}/24 dev cable", Self::HERE))?;
        ip("link set cable up")?;
        ip("route add default dev cable")?;
        self.there.ip("link set cable up")?;
        self.move_to(Self::THERE)
    }

    /// Replaces the address there. What is open over TCP ends at once, on both machines: who loses an address of its own
    /// would notice by its heartbeat only.
    ///
    /// # Errors
    /// When `ip` or `ss` refuses.
    pub fn move_to(&self, address: Ipv4Addr) -> anyhow::Result<()> {
        run(self.there.exec("ss").args(["-t", "-K", "dst", &Self::HERE.to_string()]))?;
        self.there.ip("addr flush dev cable")?;
        self.there.ip(&format!("addr add {address}/24 dev cable"))?;
        self.there.ip("route add default dev cable")
    }

    /// What turns into a program on the other machine that follows it.
    #[must_use]
    pub fn there(&self) -> Vec<&str> {
        self.there.under()
    }
}

/// Runs `ip` with these words on the machine that a scenario runs on.
///
/// # Errors
/// When it refuses.
pub fn ip(words: &str) -> anyhow::Result<()> {
    Machine::here().ip(words)
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
        let words = ["--exact", test, "--nocapture", "--include-ignored"];
        let said = run(self.exec(own).args(words).env(INSIDE, other))?;
        println!("{said}");
        ensure!(said.contains("1 passed"), "there is no test of the name {test}");
        Ok(())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // At worst an empty namespace stays.
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}
