//! `grtc-server backup`, `migrate`, `export` and `import`: the database, without serving.

mod backup;
mod database;
mod export;
mod import;
mod migrate;
mod progress;

use std::path::PathBuf;

use clap::Subcommand;

/// What is done with a database.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Copy the database into a new file, while the server runs
    ///
    /// The copy has everything that was acknowledged before it began: items, jobs, revocations, the audit, idempotency keys. It
    /// is one file, for its owner alone (mode 0600), and there under its name only when it is whole and on the disk. The database
    /// is only read, and nobody waits for it.
    #[command(after_help = backup::HELP)]
    Backup(backup::BackupArgs),
    /// Bring the database to the schema of this version, and say what was done
    ///
    /// Each start of the server does the same first: this is for who wants to know before, or to do it apart. Each step is done
    /// whole or not at all, also when the process is killed. If there is something to do, no server may have the database open.
    #[command(after_help = migrate::HELP)]
    Migrate(migrate::MigrateArgs),
    /// Write items and jobs as lines of JSON, while the server runs
    ///
    /// All of it is as it was at one moment: items and jobs with their ids, versions and times, the highest ids that there ever
    /// were, and which tokens are revoked. The audit and idempotency keys are left out: a backup has them. docs/OPERATIONS.md
    /// describes the lines.
    #[command(after_help = export::HELP)]
    Export(export::ExportArgs),
    /// Read what `export` wrote into a new database
    ///
    /// All of it or nothing, and only into a database that never had an item or a job; it is made if it is not there. No server may
    /// have it open. Jobs that were being worked on wait again.
    #[command(after_help = import::HELP)]
    Import(import::ImportArgs),
}

impl DataCommand {
    /// Does it; what to say of that on stdout.
    ///
    /// # Errors
    /// When it can't be done. Then no FILE is there that was not there before, and the database is as it was, or new and empty.
    pub async fn run(self) -> anyhow::Result<String> {
        match self {
            Self::Backup(args) => args.run().await,
            Self::Migrate(args) => args.run().await,
            Self::Export(args) => args.run().await,
            Self::Import(args) => args.run().await,
        }
    }

    /// The configuration file that the database's name may be in.
    pub(super) fn config(&self) -> Option<&PathBuf> {
        let database = match self {
            Self::Backup(args) => &args.database,
            Self::Migrate(args) => &args.database,
            Self::Export(args) => &args.database,
            Self::Import(args) => &args.database,
        };
        database.config.as_ref()
    }
}
