//! The `grtc-server` binary: reads the command line, binds and runs.

use std::process::ExitCode;

use anyhow::Context;
use grtc_server::{Config, cli, signals, telemetry};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grtc-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn perform(task: cli::Task) -> anyhow::Result<()> {
    match task {
        cli::Task::Serve(config) => serve(config).await,
        cli::Task::Health(url) => cli::health(&url).await,
        cli::Task::Print(text) => {
            print!("{text}");
            Ok(())
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    telemetry::init(config.log_format);
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("can't listen on {} (--listen takes another address or port)", config.listen))?;
    grtc_server::run(listener, config, signals::stop()).await
}
