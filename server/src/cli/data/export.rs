//! `grtc-server export [FILE]`.

use std::{
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{database::DatabaseArgs, progress::Progress};
use crate::{new_file::NewFile, signals::unless_stopped, store, telemetry, transfer::Counts};

pub(super) const HELP: &str = "Examples:\n  grtc-server export items.ndjson\n  grtc-server export | gzip > items.ndjson.gz\n  \
     grtc-server export | grtc-server import --database-url \"sqlite://other.db?mode=rwc\"\n\nThe last line has the number of the \
     lines before it: a file that ends too early is refused by import.\n\nExit codes: 0 all of it was written; 1 it was not, and stderr \
     says why; 2 the command line is wrong; 130 a signal ended it, and there is no FILE.";

/// Where to.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Where to write it, for its owner alone (mode 0600); nothing may be there yet. Without it: stdout
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

impl ExportArgs {
    pub(super) async fn run(self) -> anyhow::Result<String> {
        match &self.file {
            Some(path) => {
                let counts = unless_stopped(self.to_file(path)).await?;
                Ok(format!("{} is there, with {counts}\n", path.display()))
            }
            None => {
                // There is nothing to put in order, so that a signal just ends it.
                let counts = self.write(io::stdout().lock()).await?;
                telemetry::say(&format!("exported {counts}"));
                Ok(String::new())
            }
        }
    }

    async fn to_file(&self, path: &Path) -> anyhow::Result<Counts> {
        let new = NewFile::begin(path)?;
        let counts = self.write(new.file()).await?;
        new.finish()?;
        Ok(counts)
    }

    async fn write(&self, out: impl io::Write) -> anyhow::Result<Counts> {
        let mut progress = Progress::new();
        let tell = |counts| progress.tell(|| format!("exported {counts}"));
        let out = BufWriter::with_capacity(64 * 1024, out);
        self.database.with(async move |url| store::export(url, out, tell).await.map(|(_, counts)| counts)).await
    }
}
