//! Tokens that are dead before their time.

use std::collections::HashMap;

use jiff::Timestamp;

use super::caller::Caller;

/// What is revoked: all tokens of somebody, or one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Revoked {
    /// Those with this `sub`.
    Sub(Box<str>),
    /// The one with this `jti`.
    Jti(Box<str>),
}

impl Revoked {
    /// By the name of the claim.
    pub(crate) fn new(kind: &str, name: &str) -> Option<Self> {
        match kind {
            "sub" => Some(Self::Sub(name.into())),
            "jti" => Some(Self::Jti(name.into())),
            _ => None,
        }
    }
}

/// When each was revoked.
#[derive(Debug, Default)]
pub(crate) struct Revocations(HashMap<Revoked, Timestamp>);

impl Revocations {
    pub(crate) fn new(known: impl IntoIterator<Item = (Revoked, Timestamp)>) -> Self {
        Self(known.into_iter().collect())
    }

    /// The tokens that were issued up to `at` are dead.
    pub(crate) fn add(&mut self, what: Revoked, at: Timestamp) {
        let entry = self.0.entry(what).or_insert(at);
        *entry = (*entry).max(at);
    }

    /// Those from before `time` are not needed any more: what they were about has expired.
    pub(crate) fn forget_before(&mut self, time: Timestamp) {
        self.0.retain(|_, at| *at >= time);
    }

    /// Whether this caller's token is dead. One that does not say when it was issued may be older than anything.
    pub(crate) fn include(&self, caller: &Caller) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let sub = caller.sub.as_deref().map(|sub| Revoked::Sub(sub.into()));
        let names = [sub, caller.jti.clone().map(Revoked::Jti)];
        names.into_iter().flatten().filter_map(|name| self.0.get(&name)).any(|at| {
            // Whole seconds: one of the same second is one of before.
            caller.issued_at.is_none_or(|issued| issued <= at.as_second())
        })
    }
}
