//! The words that labels have.

use grtc_protocol::{CloseCode, client::Kind};
use hyper::Method;

use super::counts::Word;
use crate::{
    auth::Why,
    limits::{LIMIT_ORDER, Limit},
    relay::table::Refusal,
};

/// An enum and the words of its variants.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

words! {
    /// How a peer is in its room.
    Presence { Connected = "connected", Away = "away" }
}
words! {
    /// Which way a frame goes, as the server sees it.
    Direction { In = "in", Out = "out" }
}
words! {
    /// What came of a join.
    JoinResult {
        Joined = "joined",
        Resumed = "resumed",
        PeerIdTaken = "peer_id_taken",
        RoomFull = "room_full",
        Overloaded = "overloaded",
        RateLimited = "rate_limited",
        NotAuthenticated = "not_authenticated",
        NotAllowed = "not_allowed",
        Restart = "restart",
        Failed = "failed",
    }
}
words! {
    /// What came of somebody who came back with a token.
    ResumeResult { Recovered = "recovered", Anew = "anew", Refused = "refused" }
}
words! {
    /// How a job is.
    JobCount { Queued = "queued", Running = "running", Done = "done", Failed = "failed" }
}
words! {
    /// What came of an attempt to deliver a job to the webhook.
    Delivered { Taken = "delivered", Refused = "refused", TimedOut = "timed_out", NoAnswer = "no_answer" }
}
words! {
    /// Why somebody was not let in.
    AuthFailure {
        NotAuthenticated = "not_authenticated",
        TokenInvalid = "token_invalid",
        TokenExpired = "token_expired",
        NotAllowed = "not_allowed",
    }
}

impl From<Why> for AuthFailure {
    fn from(why: Why) -> Self {
        match why {
            Why::NotAuthenticated => Self::NotAuthenticated,
            Why::Invalid => Self::TokenInvalid,
            Why::Expired => Self::TokenExpired,
            Why::NotAllowed => Self::NotAllowed,
        }
    }
}

impl JoinResult {
    /// The result of a join that was refused with this code.
    pub(crate) fn refused(code: CloseCode) -> Self {
        match code {
            CloseCode::PeerIdTaken => Self::PeerIdTaken,
            CloseCode::RoomFull => Self::RoomFull,
            CloseCode::Overloaded => Self::Overloaded,
            CloseCode::RateLimit => Self::RateLimited,
            CloseCode::NotAuthenticated => Self::NotAuthenticated,
            CloseCode::NotAllowed => Self::NotAllowed,
            CloseCode::Restart => Self::Restart,
            _ => Self::Failed,
        }
    }
}

impl Word for Limit {
    const ALL: &'static [Self] = &LIMIT_ORDER;

    fn word(self) -> &'static str {
        self.entry().key
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Word for Refusal {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        Self::word(self)
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// The type of a frame; none for what is no frame of the protocol's.
impl Word for Option<Kind> {
    const ALL: &'static [Self] = &[
        None,
        Some(Kind::Offer),
        Some(Kind::Answer),
        Some(Kind::IceCandidate),
        Some(Kind::Broadcast),
        Some(Kind::Message),
        Some(Kind::Metadata),
        Some(Kind::Auth),
        Some(Kind::Report),
        Some(Kind::IceServers),
        Some(Kind::Leave),
        Some(Kind::Ping),
    ];

    fn word(self) -> &'static str {
        self.map_or("invalid", Kind::word)
    }

    fn index(self) -> usize {
        self.map_or(0, |kind| kind as usize + 1)
    }
}

/// A method as a label has it: one of those that the API has, or `other`.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_order<W: Word + PartialEq + std::fmt::Debug>() {
        for (index, word) in W::ALL.iter().enumerate() {
            assert_eq!(word.index(), index, "{word:?}");
        }
    }

    #[test]
    fn each_word_is_at_its_index() {
        in_order::<Option<Kind>>();
        in_order::<Limit>();
        in_order::<JoinResult>();
        in_order::<Direction>();
        in_order::<Delivered>();
        in_order::<Refusal>();
    }
}
