//! `grtc-server` as a process of its own: started on a free port with a database of its own.

#![allow(clippy::disallowed_methods, reason = "it keeps its own environment from what it starts")]

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// The server's binary: see [`binary`].
pub const SERVER: &str = "grtc-server";
/// How long a server may take until it says where it listens.
pub const START: Duration = Duration::from_secs(20);
/// Longer than the server's own grace for requests that are under way.
pub const STOP: Duration = Duration::from_secs(15);
/// The server writes its log to a file, so that reading it costs no measurement anything; the file is looked at this
/// often until the address is there.
const LOOK: Duration = Duration::from_millis(5);
const LOG: &str = "server.log";

/// A running server process. Dropping it kills the process and removes its directory.
#[derive(Debug)]
pub struct ServerProcess {
    binary: PathBuf,
    arguments: Vec<OsString>,
    child: Child,
    address: SocketAddr,
    pid: u32,
    directory: TempDir,
}

impl ServerProcess {
    /// Starts `binary` with `arguments` in an empty directory: see [`serve`].
    ///
    /// # Errors
    /// When it can't be started, or ends or stays silent instead of saying where it listens. The error has its log.
    pub async fn start(binary: &Path, arguments: &[OsString]) -> anyhow::Result<Self> {
        let directory = empty_directory()?;
        let (child, address) = serve(bare(binary), arguments, directory.path(), None).await?;
        let pid = child.id().context("the server ended at once")?;
        let (binary, arguments) = (binary.to_owned(), arguments.to_owned());
        Ok(Self { binary, arguments, child, address, pid, directory })
    }

    /// Ends it without a warning (SIGKILL).
    ///
    /// # Errors
    /// When it can't be ended.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("can't kill the server")
    }

    /// Starts it again after [`ServerProcess::kill`], where it was and with its database.
    ///
    /// # Errors
    /// As [`ServerProcess::start`].
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let address = self.address.to_string();
        let arguments = [&self.arguments[..], &["--listen".into(), address.into()]].concat();
        (self.child, self.address) = serve(bare(&self.binary), &arguments, self.directory.path(), None).await?;
        self.pid = self.child.id().context("the server ended at once")?;
        Ok(())
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

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time (it is killed then), or ends with a failure.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        terminate(self.pid)?;
        let ended = timeout(STOP, self.child.wait()).await;
        let status = ended.with_context(|| format!("the server did not end within {STOP:?} after SIGTERM"))??;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

/// A binary of this project: the one that a variable such as `GRTC_SERVER_BIN` names, or the one that was built beside
/// the running executable.
///
/// # Errors
/// When there is none.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let variable = format!("{}_BIN", name.to_uppercase().replace('-', "_"));
    if let Some(path) = std::env::var_os(&variable) {
        return Ok(path.into());
    }
    let own = std::env::current_exe().context("can't tell where this executable is")?;
    // Tests live one directory deeper, in target/debug/deps.
    let beside = own.ancestors().skip(1).take(2).map(|directory| directory.join(name));
    beside.into_iter().find(|path| path.is_file()).with_context(|| {
        format!("no {name} beside {}: build it (cargo build -p {name}) or name it in {variable}", own.display())
    })
}

/// A directory for one server.
///
/// # Errors
/// When the system has no place for it.
pub fn empty_directory() -> anyhow::Result<TempDir> {
    TempDir::with_prefix("grtc-").context("can't make a directory for the server")
}

/// A command without the caller's variables named `GRTC_…` and `RUST_LOG`.
#[must_use]
pub fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GRTC_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG");
    command
}

/// Starts a server on a free port of 127.0.0.1 (or where a `--listen` among the `arguments` says), with the SQLite database that is named or `grtc.db` in `directory`, no
/// limit on messages and deliveries (or what a `--message-rate` or `--delivery-rate` says), and `arguments` in addition. Gives it once it has said where it listens, and that address.
///
/// # Errors
/// When it can't be started, or ends or stays silent instead. The error has its log.
pub async fn serve(
    mut server: Command,
    arguments: &[impl AsRef<OsStr>],
    directory: &Path,
    database: Option<&Path>,
) -> anyhow::Result<(Child, SocketAddr)> {
    let file = File::create(directory.join(LOG)).context("can't make a file for the server's log")?;
    let database = database.map_or_else(|| directory.join("grtc.db"), Path::to_path_buf);
    let database = format!("sqlite://{}?mode=rwc", database.display());
    let named = |flag: &str| arguments.iter().any(|argument| argument.as_ref() == flag);
    let unless_named = |flag, value| if named(flag) { Vec::new() } else { vec![flag, value] };
    server
        .args(unless_named("--listen", "127.0.0.1:0"))
        .args(unless_named("--message-rate", "0"))
        .args(["--log-format", "json", "--database-url", &database])
        // In the environment, where an older server does not mind it; a flag among the arguments wins.
        .env("GRTC_DELIVERY_RATE", "0")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .kill_on_drop(true);
    let mut child = server.spawn().with_context(|| format!("can't start {server:?}"))?;
    match timeout(START, announced(&mut child, directory)).await {
        Ok(address) => Ok((child, address?)),
        Err(_) => bail!("the server did not say within {START:?} where it listens; its log:\n{}", log(directory)),
    }
}

/// What the server that was started in this directory has logged so far.
#[must_use]
pub fn log(directory: &Path) -> String {
    fs::read_to_string(directory.join(LOG)).unwrap_or_default()
}

async fn announced(child: &mut Child, directory: &Path) -> anyhow::Result<SocketAddr> {
    let mut next = Instant::now();
    loop {
        // Looked at first, so that what a server says before it fails is seen whole.
        let ended = child.try_wait().context("can't wait for the server")?;
        if let Some(address) = log(directory).lines().find_map(address_in) {
            return Ok(address);
        }
        if let Some(status) = ended {
            bail!("the server ended with {status}; its log:\n{}", log(directory));
        }
        next += LOOK;
        sleep(next.saturating_duration_since(Instant::now())).await;
    }
}

/// Asks a process to end (SIGTERM).
///
/// # Errors
/// When it has ended already.
pub fn terminate(pid: u32) -> anyhow::Result<()> {
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
