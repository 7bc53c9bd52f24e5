//! Why a token is not taken.

use std::{borrow::Cow, time::Duration};

/// Why somebody is not let in, or not any further. The text is a sentence about the token, and nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Refused {
    pub(crate) why: Why,
    pub(crate) text: Cow<'static, str>,
    /// How long to wait before the next one is looked at, where this is one bad token too many.
    pub(crate) wait: Option<Duration>,
}

/// The kinds of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Why {
    /// There is no token.
    NotAuthenticated,
    /// It is none that this server takes.
    Invalid,
    /// It was one.
    Expired,
    /// It is one, and does not allow this.
    NotAllowed,
}

impl Why {
    /// The stable word for it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::NotAuthenticated => "not_authenticated",
            Self::Invalid => "token_invalid",
            Self::Expired => "token_expired",
            Self::NotAllowed => "not_allowed",
        }
    }
}

impl Refused {
    pub(crate) fn new(why: Why, text: impl Into<Cow<'static, str>>) -> Self {
        Self { why, text: text.into(), wait: None }
    }

    pub(crate) fn missing() -> Self {
        Self::new(
            Why::NotAuthenticated,
            "this server asks for a token: its operator makes one with `grtc-server token create`",
        )
    }

    /// `fault` goes on after "the token can't be used: ".
    pub(crate) fn invalid(fault: impl std::fmt::Display) -> Self {
        Self::new(Why::Invalid, format!("the token can't be used: {fault}"))
    }

    pub(crate) fn expired() -> Self {
        Self::new(Why::Expired, "the token has expired: ask for a new one")
    }

    pub(crate) fn not_allowed(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Why::NotAllowed, text)
    }
}
