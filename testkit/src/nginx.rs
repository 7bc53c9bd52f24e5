//! A real nginx in front of a server.

use std::{
    net::{SocketAddr, TcpListener},
    process::Command,
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

/// What a location needs to hand on WebSockets.
pub const UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                           proxy_set_header Connection $connection_upgrade;";

/// An nginx with one site of one location. It ends when it is dropped.
#[derive(Debug)]
pub struct Nginx {
    address: SocketAddr,
    directory: TempDir,
}

impl Nginx {
    /// Starts it on a free port of this address, with this location, as `location / { proxy_pass …; }`. Returns once it listens: it
    /// goes into the background then.
    ///
    /// # Errors
    /// When there is no nginx, or it does not take that.
    pub fn start(ip: &str, location: &str) -> anyhow::Result<Self> {
        let directory = TempDir::with_prefix("grtc-nginx-")?;
        let address = TcpListener::bind((ip, 0))?.local_addr()?;
        let temporary =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};\n"));
        let configuration = format!(
            "pid nginx.pid; error_log error.log; worker_processes 1; events {{}}\n\
             http {{ access_log off; {}\n\
             map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}\n\
             server {{ listen {address}; {location} }} }}",
            temporary.concat()
        );
        std::fs::write(directory.path().join("nginx.conf"), configuration)?;
        let nginx = Self { address, directory };
        nginx.run(&[])?;
        Ok(nginx)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let path = self.directory.path();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(path).arg("-c").arg(path.join("nginx.conf")).args(arguments);
        let ended = command.output().context("can't start nginx (Debian's package nginx-light)")?;
        ensure!(ended.status.success(), "nginx: {}", String::from_utf8_lossy(&ended.stderr));
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.run(&["-s", "stop"]);
    }
}
