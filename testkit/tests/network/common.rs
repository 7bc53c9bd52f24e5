//! Two peers, each on a machine of its own, and a server on a third one.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use grtc_load::process::{bare, binary};
use grtc_testkit::{
    PeerProcess, TestServer,
    conversation::{Conversation, Heard},
    line::{Line, Way},
    namespace::{Machine, among},
};
use tempfile::TempDir;

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
pub(crate) const A: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
pub(crate) const B: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 3);
/// Where B's machine is plugged in.
pub(crate) const END_B: usize = 2;
/// How long messages may be in coming once the network is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Three machines on a line.
pub(crate) struct Network {
    pub(crate) line: Line,
    pub(crate) server: TestServer,
    logs: TempDir,
}

impl Network {
    /// `a` and `b` are what is plugged in as such: machines, or routers before them.
    pub(crate) async fn of(a: &Machine, b: &Machine) -> anyhow::Result<Self> {
        let line = Line::between(&[(&Machine::here(), SERVER), (a, A), (b, B)])?;
        let listen = SocketAddr::from((SERVER, 0));
        let server = TestServer::start_with(|config| (config.listen, config.insecure_open) = (listen, true)).await?;
        Ok(Self { line, server, logs: tempfile::tempdir()? })
    }

    /// A native peer on this machine, in a room of this name. Its log is kept when the scenario fails.
    pub(crate) fn peer(&self, machine: &Machine, room: &str, id: &str) -> anyhow::Result<PeerProcess> {
        let binary = binary("grtc-peer")?;
        let binary = binary.to_str().context("a path without UTF-8")?;
        let url = self.server.url("");
        let words = [binary, "join", room, "--id", id, "--server", &url, "--json", "--log-level", "debug"];
        Self::start(machine, words, File::create(self.log(id))?)
    }

    /// A peer by this command on this machine.
    pub(crate) fn start<'a>(
        machine: &'a Machine,
        words: impl IntoIterator<Item = &'a str>,
        log: File,
    ) -> anyhow::Result<PeerProcess> {
        let mut words = machine.under().into_iter().chain(words);
        let mut command = bare(words.next().context("no program")?);
        command.args(words).stdin(Stdio::piped()).stderr(log);
        Ok(PeerProcess::of(command))
    }

    /// Where the log of a peer goes.
    pub(crate) fn log(&self, id: &str) -> PathBuf {
        self.logs.path().join(format!("{id}.log"))
    }

    /// Two native peers that talk.
    pub(crate) async fn talk(&self, a: &Machine, b: &Machine) -> anyhow::Result<Conversation> {
        let mut first = self.peer(a, "r", "A")?;
        first.event("joined").await;
        Conversation::between(first, self.peer(b, "r", "B")?).await
    }

    /// Breaks something while both talk. When it is mended, the conversation goes on within this, and all of it came.
    pub(crate) async fn interrupted(
        &self,
        mut talk: Conversation,
        within: Duration,
        breaks: impl AsyncFnOnce(&Self, &mut Conversation) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        talk.go_on(Duration::from_secs(2)).await?;
        breaks(self, &mut talk).await?;
        let mended = Instant::now();
        talk.until_heard(mended, within + PATIENCE).await?;
        let heard = talk.end(PATIENCE).await?;
        went_on(&heard, mended, within)?;
        all_came(&heard)
    }

    /// Runs this, and says where the logs are if it fails.
    pub(crate) async fn watch(mut self, scenario: impl AsyncFnOnce(&Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let result = scenario(&self).await;
        if result.is_err() {
            self.logs.disable_cleanup(true);
            println!("the logs of both are in {}", self.logs.path().display());
        }
        result
    }
}

/// The same of two native peers on machines of their own.
pub(crate) fn pause(
    test: &str,
    within: Duration,
    breaks: impl AsyncFnOnce(&Network, &[Machine; 2], &mut Conversation) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    among(test, async |machines: [Machine; 2]| {
        let [a, b] = &machines;
        let network = Network::of(a, b).await?;
        network
            .watch(async |network| {
                network.line.set_all(path(Duration::from_millis(20), 0.0));
                let talk = network.talk(a, b).await?;
                network.interrupted(talk, within, async |network, talk| breaks(network, &machines, talk).await).await
            })
            .await
    })
}

/// As slow both ways as this, there and back, and as lossy.
pub(crate) fn path(there_and_back: Duration, loss: f64) -> Way {
    // What goes from one peer to the other one passes one way, and what comes back another one.
    Way { delay: there_and_back / 2, loss, bottleneck: None }
}

/// Each message came, once and in order.
pub(crate) fn all_came(heard: &[Heard; 2]) -> anyhow::Result<()> {
    heard[0].is_complete().context("of what B sent to A")?;
    heard[1].is_complete().context("of what A sent to B")
}

/// Both heard within this after that moment what was sent after it.
pub(crate) fn went_on(heard: &[Heard; 2], moment: Instant, within: Duration) -> anyhow::Result<()> {
    for (who, heard) in ["A", "B"].iter().zip(heard) {
        let after = heard.went_on_after(moment).with_context(|| format!("{who} heard nothing any more"))?;
        println!("{who} heard the other one again after {after:.2?}");
        ensure!(after <= within, "{who} heard the other one again after {after:.2?}");
    }
    Ok(())
}
