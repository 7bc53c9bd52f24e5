//! SIGTERM, SIGHUP and Ctrl-C: the first asks for a good end, the second does not wait for it.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// Resolves at the first signal. The second one ends the process, with exit code 130. They are waited for from the call on:
/// one that comes before the future is looked at is not lost, and ends nothing the hard way.
pub fn stop() -> impl Future<Output = ()> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    async move {
        let [mut interrupt, mut terminate, mut hangup] = match kinds {
            [Ok(interrupt), Ok(terminate), Ok(hangup)] => [interrupt, terminate, hangup],
            [Err(error), ..] | [_, Err(error), _] | [.., Err(error)] => {
                warn!(%error, "signals can't be waited for: they end the process at once");
                return std::future::pending().await;
            }
        };
        let mut next = async move || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        };
        next().await;
        info!("stopping; another signal ends it at once");
        tokio::spawn(async move {
            next().await;
            std::process::exit(130);
        });
    }
}

/// A command was told to stop before it was done.
#[derive(Debug, thiserror::Error)]
#[error("stopped by a signal; nothing was made")]
pub struct Stopped;

impl Stopped {
    /// As a shell has it for what a signal ended.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(130)
    }
}

/// Does work that a signal ends in good order: what it holds is dropped then.
pub(crate) async fn unless_stopped<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::select! {
        result = work => result,
        () = stop() => Err(Stopped.into()),
    }
}
