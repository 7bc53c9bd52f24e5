//! `grtc-server` as a process of its own: started on a free port with a database of its own, ended when dropped.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use grtc_load::process::{self, SERVER, STOP, binary, empty_directory};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{
    http::Http,
    ws::{self, Client},
};

/// How long a line of the log may be in coming, and how often it is looked for: a file can't be waited for.
const LINE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);

/// A running server process. Dropping it kills the process and removes its directory.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    address: SocketAddr,
    pid: u32,
    directory: TempDir,
}

/// How a server is started, where it is not as usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Launch<'a> {
    /// Arguments in addition.
    pub arguments: &'a [&'a str],
    /// Environment variables in addition.
    pub environment: &'a [(&'a str, &'a str)],
    /// A command that turns into the one that follows it, as `["prlimit", "--nofile=64"]`.
    pub under: &'a [&'a str],
    /// The file of the database; `grtc.db` in the server's directory if there is none.
    pub database: Option<&'a Path>,
}

impl ServerProcess {
    /// Starts the server's binary on a free port of 127.0.0.1 in an empty directory, with an empty SQLite database, no
    /// limit on messages, and what `launch` adds. Other variables named `GRTC_…` are kept from it.
    ///
    /// # Errors
    /// When there is no binary, it can't be started, or it ends or stays silent instead of saying where it listens. The
    /// error has its log.
    pub async fn launch(launch: &Launch<'_>) -> anyhow::Result<Self> {
        Self::start_in(empty_directory()?, launch).await
    }

    /// Starts the server's binary in the directory of one that was killed, with its database.
    ///
    /// # Errors
    /// As [`ServerProcess::launch`].
    pub async fn again(directory: TempDir) -> anyhow::Result<Self> {
        Self::start_in(directory, &Launch::default()).await
    }

    /// The same on the address where that one was, so that its clients find it.
    ///
    /// # Errors
    /// As [`ServerProcess::launch`].
    pub async fn again_at(directory: TempDir, address: SocketAddr) -> anyhow::Result<Self> {
        let arguments = ["--listen", &address.to_string()];
        Self::start_in(directory, &Launch { arguments: &arguments, ..Launch::default() }).await
    }

    /// The files that it has open.
    ///
    /// # Errors
    /// When it has ended.
    pub fn open_files(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.pid))?.count())
    }

    /// Its resident memory.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let kilobytes =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB")?.trim().parse().ok());
        kilobytes.map(|kilobytes: u64| kilobytes * 1024).context("no VmRSS in the process's status")
    }

    /// Starts the server's binary in a directory of a server before, as `launch` says.
    ///
    /// # Errors
    /// As [`ServerProcess::launch`].
    pub async fn start_in(directory: TempDir, launch: &Launch<'_>) -> anyhow::Result<Self> {
        let command = command(&binary(SERVER)?, launch.environment, launch.under);
        let (child, address) = process::serve(command, launch.arguments, directory.path(), launch.database).await?;
        let pid = child.id().context("the server ended at once")?;
        Ok(Self { child, address, pid, directory })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        process::log(self.directory.path())
    }

    /// The line of its log that has all of these words in it. It may be written after what it is about.
    ///
    /// # Errors
    /// When there is none in time. The error has the log.
    pub async fn line(&self, words: &[&str]) -> anyhow::Result<String> {
        let found = async {
            loop {
                let log = self.log();
                if let Some(line) = log.lines().find(|line| words.iter().all(|word| line.contains(word))) {
                    return line.to_owned();
                }
                sleep(LOOK).await;
            }
        };
        timeout(LINE, found).await.with_context(|| format!("{words:?} are in no line of:\n{}", self.log()))
    }

    /// Its HTTP side.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(self.address)
    }

    /// Joins a room and waits for the `room_state`.
    ///
    /// # Errors
    /// When the server refuses the upgrade, or sends something else first, a close for instance.
    pub async fn join(&self, room: &str, peer: &str) -> anyhow::Result<Client> {
        Client::join(self.address, room, peer).await
    }

    /// `ws://127.0.0.1:PORT` and the path of a room, with a peer id.
    #[must_use]
    pub fn peer_url(&self, room: &str, peer: &str) -> String {
        ws::peer_url(self.address, room, peer)
    }

    /// The file of its database, if it was not started with another one.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("grtc.db")
    }

    /// Ends it without a warning (SIGKILL), and gives its directory to who starts the next one in it.
    ///
    /// # Errors
    /// When it can't be ended.
    pub async fn kill(mut self) -> anyhow::Result<TempDir> {
        self.child.kill().await.context("can't kill the server")?;
        Ok(self.directory)
    }

    /// Asks it to end (SIGTERM) without waiting.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn terminate(&self) -> anyhow::Result<()> {
        process::terminate(self.pid)
    }

    /// Waits until it has ended by itself; its exit code, `None` when a signal ended it.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn ended(&mut self) -> anyhow::Result<Option<i32>> {
        match timeout(STOP, self.child.wait()).await {
            Ok(status) => Ok(status.context("can't wait for the server")?.code()),
            Err(_) => bail!("the server did not end within {STOP:?}; its log:\n{}", self.log()),
        }
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time (it is killed then), or ends with a failure.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.terminate()?;
        let code = self.ended().await?;
        anyhow::ensure!(code == Some(0), "the server ended with {code:?}; its log:\n{}", self.log());
        Ok(())
    }
}

/// The binary as a command; variables named `GRTC_…` are kept from it, except those that are given.
pub(crate) fn command(binary: &Path, environment: &[(&str, &str)], under: &[&str]) -> Command {
    let mut words = under.iter().map(Path::new).chain([binary]);
    let mut command = process::bare(words.next().unwrap_or(binary));
    command.args(words).envs(environment.iter().copied());
    command
}
