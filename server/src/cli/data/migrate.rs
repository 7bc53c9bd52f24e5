//! `grtc-server migrate`.

use clap::Args;

use super::database::DatabaseArgs;
use crate::store;

pub(super) const HELP: &str = "Examples:\n  grtc-server backup before.db && systemctl stop grtc-server && grtc-server migrate\n\n\
     There is no way back to an older schema but the backup from before.\n\nExit codes: 0 the schema is this version's, also if there \
     was nothing to do; 1 it is not, and stderr says why; 2 the command line is wrong.";

/// Which one.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

impl MigrateArgs {
    pub(super) async fn run(self) -> anyhow::Result<String> {
        let done = self.database.with(store::migrate).await?;
        Ok(match done.from {
            Some(from) if from == done.to => {
                format!("the schema is at {from}, which is this version's: there was nothing to do\n")
            }
            Some(from) => format!("the schema was at {from} and is at {} now\n", done.to),
            None => format!("the database was empty, and its schema is at {} now\n", done.to),
        })
    }
}
