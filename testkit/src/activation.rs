//! A service manager that opens the sockets, as systemd does it (`LISTEN_FDS`), and keeps them while servers come and go.

use std::{
    net::{SocketAddr, TcpListener},
    os::fd::AsRawFd,
};

use anyhow::Context;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use tempfile::TempDir;

use crate::process::{Launch, ServerProcess};

/// Sockets that outlive the servers which are started with them.
#[derive(Debug)]
pub struct Manager {
    listener: TcpListener,
    under: String,
}

impl Manager {
    /// Opens one on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When it can't.
    pub fn new() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("can't listen")?;
        // What this process starts inherits it.
        fcntl(&listener, FcntlArg::F_SETFD(FdFlag::empty()))?;
        let fd = listener.as_raw_fd();
        let under = format!("export LISTEN_PID=$$ LISTEN_FDS=1; exec 3<&{fd}; exec \"$@\"");
        Ok(Self { listener, under })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Starts a server with the socket, in the directory of an earlier one if there is one. Its `--listen` is another address, which it is not to take.
    ///
    /// # Errors
    /// As [`ServerProcess::launch`].
    pub async fn start(&self, directory: Option<TempDir>) -> anyhow::Result<ServerProcess> {
        let under = ["sh", "-c", &self.under, "sh"];
        let launch = Launch { under: &under, ..Launch::default() };
        match directory {
            Some(directory) => ServerProcess::start_in(directory, &launch).await,
            None => ServerProcess::launch(&launch).await,
        }
    }
}
