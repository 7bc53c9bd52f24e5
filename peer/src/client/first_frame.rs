//! The begin of a stay.

use tokio::time::{Instant, sleep};

use super::Config;
use crate::{
    limits::NAME_TAKEN_WAIT,
    link::{Join, LinkEnds, LinkError, SignalLink, backoff::Backoff, session},
};

/// Opens the first link. While the id is taken it tries again, if that is wanted: the last time when the wait is over.
pub(super) async fn first_frame(link: &dyn SignalLink, config: &Config) -> Result<(LinkEnds, String), LinkError> {
    let join = Join { id: config.id.clone(), back: None };
    let (begin, mut backoff) = (Instant::now(), Backoff::new(fastrand::Rng::new()));
    loop {
        let entered = session::first_frame(link, &join).await;
        let left = config.wait_for_id.saturating_sub(begin.elapsed());
        match entered {
            Err(error) if error.is_name_taken() && !left.is_zero() => {
                let (attempt, delay) = backoff.next();
                tracing::info!(attempt, "the id is taken: trying again");
                sleep(delay.min(NAME_TAKEN_WAIT).min(left)).await;
            }
            // It was replaced in the moment in which it was shown.
            Err(LinkError::TokenReplaced) => {}
            entered => return entered,
        }
    }
}
