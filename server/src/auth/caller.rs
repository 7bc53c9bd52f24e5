//! Who asks: what a token has said of its bearer.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::grants::Grants;

/// Who asks, as far as tokens say: everybody is nobody where there are no keys.
pub(crate) type Bearer = Option<Arc<Caller>>;

/// A token that lives on is looked at so often: the clock of the wall may be set.
const LOOK: Duration = Duration::from_secs(20);

/// The bearer of a token that was good when it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Who (`sub`), if the token says so.
    pub(crate) sub: Option<Arc<str>>,
    /// The token's own id.
    pub(crate) jti: Option<Box<str>>,
    /// When it was issued, in seconds since 1970.
    pub(crate) issued_at: Option<i64>,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
    /// What it allows.
    pub(crate) grants: Grants,
}

impl Caller {
    /// Somebody of this `sub`, whose token allows nothing and does not end.
    #[cfg(test)]
    pub(crate) fn named(sub: &str) -> Self {
        let (sub, grants) = (Some(sub.into()), Grants::default());
        Self { sub, jti: None, issued_at: None, expires_at: Timestamp::MAX, grants }
    }

    /// In how long to look whether the token has ended; nothing once it has.
    pub(crate) fn next_look(&self, now: Timestamp) -> Duration {
        Duration::try_from(self.expires_at.duration_since(now)).unwrap_or_default().min(LOOK)
    }
}
