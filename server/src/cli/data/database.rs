//! The database that a command is for.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;

use crate::{config::Config, transfer::BadFile};

/// Which database.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// Read --database-url from the server's TOML file
    #[arg(long, env = "GRTC_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The SQLite database, as the server has it
    #[arg(long, env = "GRTC_DATABASE_URL", default_value_t = Config::default().database_url, value_name = "URL")]
    database_url: String,
}

impl DatabaseArgs {
    /// Does something with the database. Its name stands in the words of an error, but of one that a file is to blame for.
    pub(super) async fn with<T>(&self, work: impl AsyncFnOnce(&str) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let url = &self.database_url;
        ensure!(url.starts_with("sqlite:"), "--database-url {url} has to begin with sqlite://");
        work(url).await.map_err(|error| match error.is::<BadFile>() {
            true => error,
            false => error.context(format!("the database {url}")),
        })
    }
}
