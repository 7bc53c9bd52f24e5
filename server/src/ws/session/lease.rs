//! What a session goes by: the token that it came with, or a newer one of the same bearer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::auth::{Auth, Bearer, Caller, Refused};

/// A token, until it ends.
pub(super) struct Lease {
    /// Who looks at newer tokens; none where nobody needs one.
    auth: Option<Auth>,
    bearer: Bearer,
    /// When to look whether it has ended.
    look: Option<Instant>,
    /// A newer token that was shown, and is still to be looked at.
    pub(super) shown: Option<Shown>,
}

/// A newer token, as a client has shown it.
pub(super) struct Shown {
    pub(super) token: String,
    /// What the client calls that message.
    pub(super) id: Option<String>,
}

impl Lease {
    pub(super) fn new(auth: Option<Auth>, bearer: Bearer) -> Self {
        let mut lease = Self { auth, bearer, look: None, shown: None };
        lease.measure();
        lease
    }

    /// When to look whether it has ended.
    pub(super) fn look(&self) -> Option<Instant> {
        self.look
    }

    /// Whether it has ended: by the clock of the wall, which may have been set meanwhile.
    pub(super) fn has_expired(&mut self, now: Instant) -> bool {
        if self.look.is_none_or(|look| now < look) {
            return false;
        }
        self.measure();
        self.look.is_some_and(|look| look <= Instant::now())
    }

    /// Whose it is.
    pub(super) fn bearer(&self) -> &Bearer {
        &self.bearer
    }

    pub(super) fn may_publish(&self) -> bool {
        self.bearer.as_ref().is_none_or(|caller| caller.grants.publish)
    }

    /// Whose token this is, who has to be the same as before.
    ///
    /// # Errors
    /// When it is no good, or somebody else's.
    pub(super) async fn newer(&self, token: &str) -> Result<Caller, Refused> {
        let (Some(auth), Some(bearer)) = (&self.auth, &self.bearer) else {
            return Err(Refused::invalid("this server has no keys, and nobody needs one"));
        };
        let caller = auth.caller(token).await?;
        match caller.sub == bearer.sub {
            true => Ok(caller),
            false => Err(Refused::invalid("it is somebody else's (\"sub\") than this connection")),
        }
    }

    /// Goes on by this one's token.
    pub(super) fn renew(&mut self, caller: Caller) -> Bearer {
        self.bearer = Some(Arc::new(caller));
        self.measure();
        self.bearer.clone()
    }

    fn measure(&mut self) {
        self.look = self.bearer.as_ref().map(|caller| Instant::now() + caller.next_look(Timestamp::now()));
    }
}
