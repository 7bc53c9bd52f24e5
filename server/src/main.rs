//! The `grtc-server` binary: reads the command line, binds and runs.

use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
};

use anyhow::Context;
use grtc_server::{Config, PartEnded, cli, open_files, signals, telemetry};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    let code = match cli::parse(std::env::args_os()).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::say(&format!("grtc-server: {error:#}"));
            error.downcast_ref::<PartEnded>().map_or(ExitCode::FAILURE, PartEnded::exit_code)
        }
    };
    telemetry::flush();
    code
}

fn perform(task: cli::Task) -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let cli::Task::Serve(Config { workers: workers @ 1.., .. }) = &task {
        runtime.worker_threads(*workers);
    }
    let runtime = runtime.enable_all().build().context("can't start the threads that serve")?;
    runtime.block_on(perform_on(task))
}

async fn perform_on(task: cli::Task) -> anyhow::Result<()> {
    match task {
        cli::Task::Serve(config) => serve(config).await,
        cli::Task::Health(url) => cli::health(&url).await,
        cli::Task::Print(text) => {
            // Who has read enough of it may go.
            match std::io::stdout().write_all(text.as_bytes()) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("can't write to stdout"),
                _ => Ok(()),
            }
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    telemetry::init(config.log_format);
    open_files::provide(config.max_connections);
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("can't listen on {} (--listen takes another address or port)", config.listen))?;
    grtc_server::run(listener, config, signals::stop()).await
}
