//! `grtc-server` as a process of its own: started on a free port with a database of its own, ended when dropped.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use crate::{
    http::Http,
    ws::{self, Client},
};

pub(crate) const START: Duration = Duration::from_secs(20);
/// Longer than the server's own grace for requests that are under way.
const STOP: Duration = Duration::from_secs(15);
/// The server writes its log to a file, so that reading it costs no measurement anything; the file is looked at this
/// often until the address is there.
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
    /// Starts `binary` on a free port of 127.0.0.1 with an empty SQLite database, no limit on messages, and `arguments`
    /// in addition. Variables named `GRTC_…` are kept from it.
    ///
    /// # Errors
    /// When it can't be started, or ends or stays silent instead of saying where it listens. The error has its log.
    pub async fn start(binary: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_in(empty_directory()?, binary, &Launch { arguments, ..Launch::default() }).await
    }

    /// Starts the server's binary in an empty directory, as `launch` has it.
    ///
    /// # Errors
    /// As [`ServerProcess::start`], and when there is no binary.
    pub async fn launch(launch: &Launch<'_>) -> anyhow::Result<Self> {
        Self::start_in(empty_directory()?, &server_binary()?, launch).await
    }

    /// Starts the server's binary in the directory of one that was killed, with its database.
    ///
    /// # Errors
    /// As [`ServerProcess::launch`].
    pub async fn again(directory: TempDir) -> anyhow::Result<Self> {
        Self::start_in(directory, &server_binary()?, &Launch::default()).await
    }

    async fn start_in(directory: TempDir, binary: &Path, launch: &Launch<'_>) -> anyhow::Result<Self> {
        let child = spawn(binary, directory.path(), launch)?;
        let pid = child.id().context("the server ended at once")?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, address: unknown, pid, directory };
        server.address = match timeout(START, server.announced()).await {
            Ok(address) => address?,
            Err(_) => bail!("the server did not say within {START:?} where it listens; its log:\n{}", server.log()),
        };
        Ok(server)
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
        fs::read_to_string(self.directory.path().join("server.log")).unwrap_or_default()
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
        terminate(self.pid)
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
        terminate(self.pid)?;
        match timeout(STOP, self.child.wait()).await {
            Ok(status) => {
                let status = status.context("can't wait for the server")?;
                anyhow::ensure!(status.success(), "the server ended with {status}; its log:\n{}", self.log());
                Ok(())
            }
            Err(_) => bail!("the server did not end within {STOP:?} after SIGTERM"),
        }
    }

    async fn announced(&mut self) -> anyhow::Result<SocketAddr> {
        let mut next = Instant::now();
        loop {
            // Looked at first, so that what a server says before it fails is seen whole.
            let ended = self.child.try_wait().context("can't wait for the server")?;
            if let Some(address) = self.log().lines().find_map(address_in) {
                return Ok(address);
            }
            if let Some(status) = ended {
                bail!("the server ended with {status}; its log:\n{}", self.log());
            }
            next += LOOK;
            sleep(next.saturating_duration_since(Instant::now())).await;
        }
    }
}

/// The server's binary: `GRTC_SERVER_BIN`, or the `grtc-server` that was built beside the running executable.
///
/// # Errors
/// When there is none.
pub fn server_binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("GRTC_SERVER_BIN") {
        return Ok(path.into());
    }
    let own = std::env::current_exe().context("can't tell where this executable is")?;
    // Tests live one directory deeper, in target/debug/deps.
    let beside = own.ancestors().skip(1).take(2).map(|directory| directory.join("grtc-server"));
    beside.into_iter().find(|path| path.is_file()).with_context(|| {
        format!(
            "no grtc-server beside {}: build it (cargo build -p grtc-server) or name it in GRTC_SERVER_BIN",
            own.display()
        )
    })
}

pub(crate) fn empty_directory() -> anyhow::Result<TempDir> {
    TempDir::with_prefix("grtc-").context("can't make a directory for the server")
}

/// The binary as a command; variables named `GRTC_…` are kept from it, except those that are given.
pub(crate) fn command(binary: &Path, environment: &[(&str, &str)], under: &[&str]) -> Command {
    let mut words = under.iter().map(Path::new).chain([binary]);
    let mut command = Command::new(words.next().unwrap_or(binary));
    command.args(words);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GRTC_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").envs(environment.iter().copied());
    command
}

fn spawn(binary: &Path, directory: &Path, launch: &Launch<'_>) -> anyhow::Result<Child> {
    let log = File::create(directory.join("server.log")).context("can't make a file for the server's log")?;
    let database = launch.database.map_or_else(|| directory.join("grtc.db"), Path::to_path_buf);
    let database = format!("sqlite://{}?mode=rwc", database.display());
    command(binary, launch.environment, launch.under)
        .args(["--listen", "127.0.0.1:0", "--message-rate", "0", "--log-format", "json", "--database-url", &database])
        .args(launch.arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("can't start {}", binary.display()))
}

fn terminate(pid: u32) -> anyhow::Result<()> {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    kill(Pid::from_raw(pid.try_into()?), Signal::SIGTERM).context("can't end the server")
}

/// The field `server.address` of a line of JSON, at whatever depth the log format puts its fields.
fn address_in(line: &str) -> Option<SocketAddr> {
    fn find(value: &Value) -> Option<SocketAddr> {
        let fields = value.as_object()?;
        match fields.get("server.address") {
            Some(address) => address.as_str()?.parse().ok(),
            None => fields.values().find_map(find),
        }
    }
    find(&serde_json::from_str(line).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address_wherever_the_log_format_puts_it() {
        let expected = "127.0.0.1:4000".parse().ok();
        assert_eq!(address_in(r#"{"server.address":"127.0.0.1:4000"}"#), expected);
        assert_eq!(
            address_in(r#"{"level":"INFO","fields":{"message":"x","server.address":"127.0.0.1:4000"}}"#),
            expected
        );
        assert_eq!(address_in(r#"{"message":"server.address"}"#), None);
        assert_eq!(address_in("listening"), None);
    }

    #[tokio::test]
    async fn says_what_a_server_that_fails_has_logged() {
        let error = ServerProcess::start(Path::new("/bin/ls"), &[]).await.unwrap_err().to_string();
        assert!(error.contains("--listen"), "{error}");
    }
}
