//! SIGTERM, SIGHUP and Ctrl-C: the first asks for a good end, the second does not wait for it.

use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// Resolves at the first signal. The second one ends the process, with exit code 130.
pub async fn stop() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] = match kinds.map(signal) {
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
