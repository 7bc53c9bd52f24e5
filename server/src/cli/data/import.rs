//! `grtc-server import [FILE]`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal as _},
    path::PathBuf,
};

use anyhow::{Context, ensure};
use clap::Args;

use super::{database::DatabaseArgs, progress::Progress};
use crate::{store, transfer::BadFile};

pub(super) const HELP: &str = "Examples:\n  grtc-server import items.ndjson\n  gunzip < items.ndjson.gz | grtc-server import \
     --database-url \"sqlite://new.db?mode=rwc\"\n\nRun it as the user that the server runs as: the database is that user's then.\n\n\
     Exit codes: 0 all of it is in the database and on the disk; 1 nothing of it is, and stderr says why, with the number of the \
     line; 2 the command line is wrong.";

/// Where from.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What `export` wrote. Without it: stdin
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

impl ImportArgs {
    pub(super) async fn run(self) -> anyhow::Result<String> {
        match &self.file {
            Some(path) => {
                let file = File::open(path).with_context(|| format!("{} can't be read", path.display()))?;
                self.read(BufReader::with_capacity(64 * 1024, file)).await
            }
            None => {
                ensure!(!io::stdin().is_terminal(), "there is no export on stdin: grtc-server import FILE");
                self.read(io::stdin().lock()).await
            }
        }
    }

    async fn read(&self, input: impl BufRead) -> anyhow::Result<String> {
        let mut progress = Progress::new();
        let tell = |counts| progress.tell(|| format!("read {counts}"));
        let counts = self.database.with(async move |url| store::import(url, input, tell).await).await;
        let counts = counts.map_err(|error| match (&self.file, error.is::<BadFile>()) {
            (Some(path), true) => error.context(path.display().to_string()),
            (None, true) => error.context("stdin"),
            (_, false) => error,
        })?;
        Ok(format!("imported {counts}\n"))
    }
}
