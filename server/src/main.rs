//! The `grtc-server` binary: reads the command line, binds and runs.

use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
};

use anyhow::Context;
use grtc_server::{
    Config, Listeners, PartEnded, cli, limits::Limit, open_files, service_manager, signals, signals::Stopped, telemetry,
};

fn main() -> ExitCode {
    let code = match cli::parse(std::env::args_os()).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::say(&format!("grtc-server: {error:#}"));
            let stopped = || error.downcast_ref::<Stopped>().map(Stopped::exit_code);
            error.downcast_ref::<PartEnded>().map(PartEnded::exit_code).or_else(stopped).unwrap_or(ExitCode::FAILURE)
        }
    };
    telemetry::flush();
    code
}

fn perform(task: cli::Task) -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let cli::Task::Serve(config) = &task
        && config.workers > 0
    {
        runtime.worker_threads(config.workers);
    }
    let runtime = runtime.enable_all().build().context("can't start the threads that serve")?;
    runtime.block_on(perform_on(task))
}

async fn perform_on(task: cli::Task) -> anyhow::Result<()> {
    match task {
        cli::Task::Serve(config) => serve(*config).await,
        cli::Task::Token(command) => command.run(),
        cli::Task::Health(args) => cli::health(args).await,
        cli::Task::Data(command) => print(&command.run().await?),
        cli::Task::Print(text) => print(&text),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    // Who has read enough of it may go.
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("can't write to stdout"),
        _ => Ok(()),
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    telemetry::init(config.log_format);
    open_files::provide(config.limits[Limit::Connections]);
    let listeners = Listeners::open(&config).await?;
    grtc_server::run(listeners, config, service_manager::told_of(signals::stop())).await
}
