//! How long a stay waits for what it wants.

use std::time::Duration;

use tokio::time::Instant;

/// How long a script waits when nothing else is said.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(30);

/// When a stay gives up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    Endless,
    Until(Instant),
    /// With `--until-eof`: while something waits, this long after the last progress. Stdin may be long in coming.
    WithoutProgress {
        since: Instant,
        waiting: bool,
    },
}

impl Patience {
    pub(super) fn new(limit: Option<Duration>, script: bool, until_eof: bool) -> Self {
        let now = Instant::now();
        match limit {
            // So far away that no clock has it.
            Some(limit) => now.checked_add(limit).map_or(Self::Endless, Self::Until),
            None if until_eof => Self::WithoutProgress { since: now, waiting: true },
            None if script => Self::Until(now + SCRIPT_TIMEOUT),
            None => Self::Endless,
        }
    }

    /// When it is over; never, if nothing is said.
    pub(super) fn until(&self) -> Option<Instant> {
        match self {
            Self::Until(until) => Some(*until),
            Self::WithoutProgress { since, waiting: true } => Some(*since + SCRIPT_TIMEOUT),
            Self::Endless | Self::WithoutProgress { .. } => None,
        }
    }

    /// Something went on; whether more is waited for that others have to do.
    pub(super) fn progress(&mut self, waits: bool) {
        if let Self::WithoutProgress { since, waiting } = self {
            (*since, *waiting) = (Instant::now(), waits);
        }
    }
}
