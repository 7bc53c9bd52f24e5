//! What several scenarios need: a second program at the server's database, a small disk, what is in a folder, the state of a
//! job.

use std::{path::Path, process::Command, time::Duration};

use anyhow::Context;
use grtc_testkit::Http;
use sea_orm::sqlx::{self, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// How long a job may take to get into a state, and how often it is asked for: nobody is told when one fails.
const JOB: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);

/// Another program that holds the right to write to a database.
pub(crate) struct Lock(SqliteConnection);

impl Lock {
    /// Takes it.
    pub(crate) async fn on(database: &Path) -> anyhow::Result<Self> {
        let mut connection = open(database).await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.context("can't lock the database")?;
        Ok(Self(connection))
    }

    /// Gives it back.
    pub(crate) async fn release(mut self) -> anyhow::Result<()> {
        sqlx::query("ROLLBACK").execute(&mut self.0).await?;
        Ok(self.0.close().await?)
    }
}

/// What SQLite itself finds wrong with a database: nothing, if it is `ok`.
pub(crate) async fn integrity(database: &Path) -> anyhow::Result<String> {
    let mut connection = open(database).await?;
    let (found,): (String,) = sqlx::query_as("PRAGMA integrity_check").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(found)
}

async fn open(database: &Path) -> anyhow::Result<SqliteConnection> {
    Ok(SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(database)).await?)
}

/// A disk of 3 MB in a folder, gone when dropped. As root, since it is mounted.
pub(crate) struct Disk(TempDir);

impl Disk {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let disk = Self(TempDir::with_prefix("grtc-disk-")?);
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "none"]).arg(disk.folder()).status()?;
        anyhow::ensure!(mounted.success(), "a disk can't be mounted: this test runs as root");
        Ok(disk)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder()).status();
    }
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<anyhow::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// The URL of a database in a file, made if it is not there.
pub(crate) fn url(database: &Path) -> String {
    format!("sqlite://{}?mode=rwc", database.display())
}

/// Whether strace is there and may trace; says so if not.
pub(crate) async fn traceable() -> bool {
    let traced = tokio::process::Command::new("strace").args(["-o", "/dev/null", "true"]).status().await;
    let traceable = traced.is_ok_and(|status| status.success());
    if !traceable {
        eprintln!("skipped: strace is not there, or may not trace");
    }
    traceable
}

/// The job once it is in this state.
pub(crate) async fn job_in(http: Http, id: u32, state: &str) -> anyhow::Result<Value> {
    let path = format!("/api/jobs/{id}");
    let found = async {
        loop {
            let job = http.get(&path).await?.json()?;
            if job["state"] == state {
                return anyhow::Ok(job);
            }
            sleep(LOOK).await;
        }
    };
    timeout(JOB, found).await.with_context(|| format!("job {id} is not {state}"))?
}
