//! The server under test.

use std::{fs, time::Duration};

use anyhow::{Context, bail};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};

use crate::{door::Door, process::ServerProcess, server_args::ServerArgs};

/// A server and what the system knows of its process.
#[derive(Debug)]
pub struct Target {
    door: Door,
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
        match (&args.url, args.pid) {
            (Some(url), Some(pid)) => Self::of(args.door(url.address, url.tls)?, pid, None),
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
        let server = ServerProcess::start(&binary, &args.arguments()).await;
        if args.pin {
            pin(1)?;
        }
        let server = server?;
        Self::of(args.door(server.address(), args.ca.is_some())?, server.pid(), Some(server))
    }

    fn of(door: Door, pid: u32, own: Option<ServerProcess>) -> anyhow::Result<Self> {
        Ok(Self { door, pid, clock: clock(pid)?, own })
    }

    /// The way in.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Ends the server without a warning (SIGKILL).
    ///
    /// # Errors
    /// When it was not started here.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let own = self.own.as_mut().context("a server that runs already is not killed: leave --url away")?;
        own.kill().await
    }

    /// Starts the server that was killed again, on its port and with its database.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let own = self.own.as_mut().context("a server that runs already is not started")?;
        own.start_again().await?;
        self.pid = own.pid();
        self.clock = clock(self.pid)?;
        Ok(())
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
        self.status_bytes("VmRSS:")
    }

    /// The most resident memory that it had since the last [`Target::forget_peak`].
    ///
    /// # Errors
    /// When the process has ended.
    pub fn peak_bytes(&self) -> anyhow::Result<u64> {
        self.status_bytes("VmHWM:")
    }

    /// Lets the peak begin anew at what is resident now.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn forget_peak(&self) -> anyhow::Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.pid), "5").context("can't reset the server's peak of memory")
    }

    fn status_bytes(&self, field: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid));
        let status = status.with_context(|| format!("process {} is gone", self.pid))?;
        let kilobytes =
            status.lines().find_map(|line| line.strip_prefix(field)?.strip_suffix("kB")?.trim().parse().ok());
        kilobytes.map(|kb: u64| kb * 1024).with_context(|| format!("no {field} in the process's status"))
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

fn clock(pid: u32) -> anyhow::Result<ClockId> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid.try_into()?));
    clock.with_context(|| format!("can't read the CPU time of process {pid}"))
}

fn pin(cpu: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("can't stay on CPU {cpu}"))
}
