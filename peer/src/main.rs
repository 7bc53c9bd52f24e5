//! `grtc-peer`: a WebRTC peer for the terminal and for scripts.

mod cli;
mod open_files;
mod status;
mod stderr;
mod text;

use std::{process::ExitCode, time::Duration};

/// How long the last lines on stderr may take to be read.
const LAST_LINES: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let started = std::time::Instant::now();
    open_files::raise_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            stderr::line(&format!("grtc-peer: no threads to run on: {error}"));
            stderr::flush(LAST_LINES);
            return cli::Exit::Local.into();
        }
    };
    let exit = runtime.block_on(cli::run(started));
    stderr::flush(LAST_LINES);
    // A read of a terminal can't be interrupted: it does not hold up the end.
    runtime.shutdown_background();
    exit.into()
}
