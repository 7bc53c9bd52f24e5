//! The tasks that the server can't be without: when one of them ends, the process does, so that whoever started it can
//! start it again.

use std::process::ExitCode;

use tokio::task::JoinHandle;

/// A part of the server has ended that it can't be without.
#[derive(Debug, thiserror::Error)]
#[error(
    "{part} has ended ({how}), and the server can't go on without it; this is a fault of grtc: please report it with the log"
)]
pub struct PartEnded {
    part: &'static str,
    how: String,
}

impl PartEnded {
    /// EX_SOFTWARE of BSD's `sysexits.h`.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(70)
    }

    pub(crate) fn new(part: &'static str, how: impl Into<String>) -> Self {
        Self { part, how: how.into() }
    }
}

/// Waits for the end of a task that has none.
pub(crate) async fn ended<T>(part: &'static str, task: &mut JoinHandle<T>) -> PartEnded {
    match task.await {
        Ok(_) => PartEnded::new(part, "it returned"),
        Err(error) => PartEnded::new(part, error.to_string()),
    }
}

/// Waits for the end of a task that has none, if there is one.
pub(crate) async fn maybe_ended<T>(part: &'static str, task: &mut Option<JoinHandle<T>>) -> PartEnded {
    match task {
        Some(task) => ended(part, task).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_ends_is_said_with_how_it_ended() {
        let returned = ended("the part", &mut tokio::spawn(async {})).await;
        assert!(returned.to_string().starts_with("the part has ended (it returned)"), "{returned}");
        let panicked = ended("the part", &mut tokio::spawn(async { panic!("no luck") })).await;
        assert!(panicked.to_string().contains("no luck"), "{panicked}");
    }
}
