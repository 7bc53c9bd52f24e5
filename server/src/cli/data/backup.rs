//! `grtc-server backup FILE`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use tokio::time::interval;

use super::{database::DatabaseArgs, progress::Progress};
use crate::{new_file::NewFile, signals::unless_stopped, store::Backup};

pub(super) const HELP: &str = "Examples:\n  grtc-server backup \"/backup/grtc-$(date +%F).db\"\n  grtc-server backup \
     --database-url sqlite:///var/lib/grtc/grtc.db /backup/grtc.db\n\nTo go back to it: stop the server, put the copy in the place \
     of the database, remove the files beside that (-wal, -shm) and start the server.\n\nExit codes: 0 the copy is there and on \
     the disk; 1 there is none, and stderr says why; 2 the command line is wrong; 130 a signal ended it, and there is none.";

/// Where to.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The copy; nothing may be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

impl BackupArgs {
    pub(super) async fn run(self) -> anyhow::Result<String> {
        let bytes = unless_stopped(async {
            let new = NewFile::begin(&self.file)?;
            self.database.with(async |url| copy(url, &new).await).await?;
            let bytes = new.file().metadata()?.len();
            new.finish()?;
            Ok(bytes)
        })
        .await?;
        Ok(format!("{} is there, with {bytes} bytes\n", self.file.display()))
    }
}

/// Copies, and shows how far it is.
async fn copy(url: &str, new: &NewFile) -> anyhow::Result<()> {
    let backup = Backup::open(url).await?;
    let total = backup.bytes;
    let mut progress = Progress::new();
    let mut tick = interval(Duration::from_millis(500));
    let mut copying = std::pin::pin!(backup.copy(new.place()));
    loop {
        tokio::select! {
            copied = &mut copying => return copied,
            _ = tick.tick() => progress.tell(|| {
                let done = new.file().metadata().map_or(0, |file| file.len());
                format!("copied {} of about {} MB", done / 1_000_000, total.div_ceil(1_000_000))
            }),
        }
    }
}
