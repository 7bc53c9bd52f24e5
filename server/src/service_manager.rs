//! The service manager that has started the process, if it wants to know how it is (systemd's `Type=notify`, `NOTIFY_SOCKET`).

use sd_notify::{NotifyState, notify};
use tracing::warn;

/// Resolves as `stop` does. The service manager is told at the first look at it that the process serves, and then that it stops.
pub async fn told_of(stop: impl Future<Output = ()>) {
    tell(&NotifyState::Ready);
    stop.await;
    tell(&NotifyState::Stopping);
}

fn tell(state: &NotifyState<'_>) {
    if let Err(error) = notify(std::slice::from_ref(state)) {
        warn!(%error, "the service manager can't be told: {state}");
    }
}
