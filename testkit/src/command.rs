//! The commands of `grtc-server` that end by themselves, and starts that fail.

use std::{
    io::{Seek as _, Write as _},
    process::Stdio,
};

use anyhow::Context;
use grtc_load::process::{SERVER, START, binary, empty_directory};
use tokio::time::timeout;

use crate::process::command;

/// A command that has run to its end.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

/// Runs the server's binary with these arguments and variables to its end, in an empty directory.
///
/// # Errors
/// When there is no binary, it can't be started, or it does not end in time.
pub async fn run_to_end(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Finished> {
    run_with_input(arguments, environment, "").await
}

/// The same with this on its standard input.
///
/// # Errors
/// As [`run_to_end`].
pub async fn run_with_input(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> anyhow::Result<Finished> {
    let directory = empty_directory()?;
    let mut stdin = tempfile::tempfile()?;
    stdin.write_all(input.as_bytes())?;
    stdin.rewind()?;
    let mut command = command(&binary(SERVER)?, environment, &[]);
    command.args(arguments).current_dir(directory.path()).stdin(Stdio::from(stdin)).kill_on_drop(true);
    let output = timeout(START, command.output()).await;
    let output = output.with_context(|| format!("{arguments:?} did not end within {START:?}"))??;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok(Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}
