//! `grtc-peer`: a WebRTC peer for the terminal and for scripts.

mod cli;
mod status;
mod text;

use std::process::ExitCode;

fn main() -> ExitCode {
    let started = std::time::Instant::now();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("grtc-peer: no threads to run on: {error}");
            return cli::Exit::Local.into();
        }
    };
    let exit = runtime.block_on(cli::run(started));
    // A read of a terminal can't be interrupted: it does not hold up the end.
    runtime.shutdown_background();
    exit.into()
}
