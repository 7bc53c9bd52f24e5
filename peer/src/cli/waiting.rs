//! What ends a wait: Ctrl-C, and a time limit.

use std::{future::pending, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::exit::{Exit, NotJoined};

/// How long the last lines may take to be read after the end was asked for.
pub(super) const LAST_LINES: Duration = Duration::from_secs(1);

/// Joins, unless the time is over or Ctrl-C comes first. `late` is the sentence for the first.
pub(super) async fn joined<T>(
    joining: impl Future<Output = Result<T, NotJoined>>,
    deadline: Option<Instant>,
    late: String,
) -> Result<T, NotJoined> {
    tokio::select! {
        joined = joining => joined,
        () = reached(deadline) => Err(NotJoined::new("timeout", late, Exit::Signaling)),
        () = interrupted() => Err(NotJoined::new("interrupted", "interrupted".to_owned(), Exit::Interrupted)),
    }
}

/// Resolves at this time; never, if there is none.
pub(super) async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Resolves at Ctrl-C, when the process is told to end, or when its terminal closes.
pub(super) async fn interrupted() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return ctrl_c.await;
        };
        tokio::select! {
            () = ctrl_c => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    ctrl_c.await;
}
