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

const START: Duration = Duration::from_secs(20);
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

impl ServerProcess {
    /// Starts `binary` on a free port of 127.0.0.1 with an empty SQLite database, no limit on messages, and `arguments`
    /// in addition. Variables named `GRTC_…` are kept from it.
    ///
    /// # Errors
    /// When it can't be started, or ends or stays silent instead of saying where it listens. The error has its log.
    pub async fn start(binary: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let directory = TempDir::with_prefix("grtc-").context("can't make a directory for the server")?;
        let child = spawn(binary, directory.path(), arguments)?;
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

fn spawn(binary: &Path, directory: &Path, arguments: &[&str]) -> anyhow::Result<Child> {
    let log = File::create(directory.join("server.log")).context("can't make a file for the server's log")?;
    let database = format!("sqlite://{}?mode=rwc", directory.join("grtc.db").display());
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GRTC_")) {
        command.env_remove(name);
    }
    command
        .args(["--listen", "127.0.0.1:0", "--message-rate", "0", "--log-format", "json", "--database-url", &database])
        .args(arguments)
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
