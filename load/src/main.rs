//! `grtc-load`: measures what grtc-server needs for its work. See `docs/BENCHMARKS.md`.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use grtc_load::cli::Args;

// One thread, so that a machine with two CPUs has one for the server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    grtc_load::raise_open_files()?;
    let report = tokio::select! {
        report = grtc_load::run(&args) => report,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("can't wait for Ctrl-C")?;
            anyhow::bail!("interrupted");
        }
    };
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
