//! The server under test.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};

use crate::process::{SERVER, ServerProcess, binary};

/// Which server to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerArgs {
    /// The server to start [default: grtc-server beside this executable]
    #[arg(long, global = true, value_name = "PATH", env = "GRTC_SERVER_BIN")]
    pub server_bin: Option<PathBuf>,
    /// One more argument for the server that is started (repeatable).
    #[arg(long, global = true, value_name = "ARG", allow_hyphen_values = true)]
    pub server_arg: Vec<String>,
    /// Measure this running server instead (needs --pid; start it with --message-rate 0).
    #[arg(long, global = true, value_name = "http://ADDRESS:PORT", value_parser = address)]
    pub url: Option<SocketAddr>,
    /// The process id of the running server (needs --url).
    #[arg(long, global = true)]
    pub pid: Option<u32>,
    /// Keep the server that is started on the first CPU and the load on the second. The server then starts one worker.
    #[arg(long, global = true)]
    pub pin: bool,
}

impl ServerArgs {
    /// The binary that is started, or the address of the running server.
    #[must_use]
    pub fn name(&self) -> String {
        match self.url {
            Some(address) => format!("http://{address}"),
            None => self.binary().map(|path| path.display().to_string()).unwrap_or_default(),
        }
    }

    fn binary(&self) -> anyhow::Result<PathBuf> {
        self.server_bin.clone().map_or_else(|| binary(SERVER), Ok)
    }
}

/// A server and what the system knows of its process.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    pid: u32,
    clock: ClockId,
    own: Option<ServerProcess>,
}

impl Target {
    /// Starts a server, or takes the running one that was named.
    ///
    /// # Errors
    /// When it does not start, or the named process is not there.
    pub async fn new(args: &ServerArgs) -> anyhow::Result<Self> {
        match (args.url, args.pid) {
            (Some(address), Some(pid)) => Self::of(address, pid, None),
            (None, None) => Self::start(args).await,
            _ => bail!("--url and --pid go together"),
        }
    }

    async fn start(args: &ServerArgs) -> anyhow::Result<Self> {
        let binary = args.binary()?;
        if args.pin {
            // A child inherits it, so that the server counts its CPUs right from the start.
            pin(0)?;
        }
        let server = ServerProcess::start(&binary, &args.server_arg).await;
        if args.pin {
            pin(1)?;
        }
        let server = server?;
        Self::of(server.address(), server.pid(), Some(server))
    }

    fn of(address: SocketAddr, pid: u32, own: Option<ServerProcess>) -> anyhow::Result<Self> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid.try_into()?));
        let clock = clock.with_context(|| format!("can't read the CPU time of process {pid}"))?;
        Ok(Self { address, pid, clock, own })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// User and system time of all its threads, those that have ended included, to the nanosecond.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        Ok(clock_gettime(self.clock).with_context(|| format!("process {} is gone", self.pid))?.into())
    }

    /// Its resident memory in bytes (`VmRSS`).
    ///
    /// # Errors
    /// When the process has ended.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid));
        let status = status.with_context(|| format!("process {} is gone", self.pid))?;
        let kilobytes =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB")?.trim().parse().ok());
        kilobytes.map(|kb: u64| kb * 1024).context("no VmRSS in the process's status")
    }

    /// Ends the server if it was started here.
    ///
    /// # Errors
    /// When it does not end in time, or with a failure.
    pub async fn stop(self) -> anyhow::Result<()> {
        match self.own {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}

/// The CPU time of this process so far.
///
/// # Errors
/// When the system has no such clock.
pub fn own_cpu() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).context("can't read the load's own CPU time")?.into())
}

/// How long all CPUs of this machine were busy, whoever kept them so, or were taken from it. In steps of 10 ms.
///
/// # Errors
/// When the system does not tell.
pub fn machine_cpu() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("can't read /proc/stat")?;
    let total = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<u64> = total.map(str::parse).collect::<Result<_, _>>().context("can't read /proc/stat")?;
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
    let busy = ticks.iter().take(8).enumerate().filter(|(index, _)| !matches!(index, 3 | 4));
    Ok(Duration::from_millis(busy.map(|(_, ticks)| ticks * 10).sum()))
}

fn pin(cpu: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("can't stay on CPU {cpu}"))
}

/// Load is for a server on this machine alone: its CPU time and memory could not be read anywhere else.
fn address(url: &str) -> Result<SocketAddr, String> {
    let address = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    match address.parse::<SocketAddr>() {
        Ok(address) if address.is_ipv4() && address.ip().is_loopback() => Ok(address),
        _ => Err("an address of this machine, such as http://127.0.0.1:8001".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_nothing_but_this_machine() {
        assert!(address("http://127.0.0.1:8001/").is_ok());
        assert!(address("http://192.0.2.1:8001").is_err());
        assert!(address("http://example.org").is_err());
    }
}
