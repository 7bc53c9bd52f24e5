//! What a token says (RFC 7519), and whether that is good now. Pure: the time is an argument.

use std::{fmt, sync::Arc, time::Duration};

use grtc_protocol::json;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    caller::Caller,
    grants::{Grants, present},
    refused::Refused,
};

/// How much clocks may differ when a token is shown.
pub(crate) const LEEWAY: Duration = Duration::from_secs(5);

/// What the claims of every token are measured by.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Whom tokens are for (`aud`).
    pub(crate) audience: String,
    /// Who has to have issued them (`iss`), if that matters.
    pub(crate) issuer: Option<String>,
    /// How long they may be good for at most.
    pub(crate) max_lifetime: Duration,
}

/// The claims that grtc reads. Times are integers: a text, a fraction or `null` is none. No claim may stand twice.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims<'a> {
    #[serde(default, deserialize_with = "present")]
    pub(crate) exp: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) nbf: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) iat: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) aud: Option<Audience>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) iss: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) sub: Option<Box<str>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) jti: Option<Box<str>>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub(crate) grtc: Option<&'a RawValue>,
}

/// One or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl<'a> Claims<'a> {
    /// Reads a token's payload.
    ///
    /// # Errors
    /// When it is not an object with claims of the right kinds.
    pub(crate) fn read(payload: &'a [u8]) -> Result<Self, Refused> {
        json::object(payload).map_err(|error| Refused::invalid(format!("its claims can't be read: {error}")))
    }

    /// Who comes with them, at `now`.
    ///
    /// # Errors
    /// What is wrong with them; that they have expired only if nothing else is.
    pub(crate) fn check(self, rules: &Rules, now: Timestamp) -> Result<Caller, Refused> {
        let missing = |claim| Refused::invalid(format!("it has no {claim:?}"));
        let (now, leeway) = (now.as_second(), LEEWAY.as_secs().cast_signed());
        let exp = self.exp.ok_or_else(|| missing("exp"))?;
        let expires_at =
            Timestamp::from_second(exp).map_err(|_| Refused::invalid(format!("its \"exp\" {exp} is no time")))?;
        let audience = self.aud.ok_or_else(|| missing("aud"))?;
        if !audience.includes(&rules.audience) {
            return Err(Refused::invalid(format!("its \"aud\" is {audience}, and has to be {:?}", rules.audience)));
        }
        if let Some(issuer) = &rules.issuer
            && self.iss.as_ref() != Some(issuer)
        {
            return Err(Refused::invalid(format!("its \"iss\" has to be {issuer:?}")));
        }
        for (claim, time) in [("nbf", self.nbf), ("iat", self.iat)] {
            if time.is_some_and(|time| time > now.saturating_add(leeway)) {
                return Err(Refused::invalid(format!(
                    "its {claim:?} is still to come: is this machine's clock right?"
                )));
            }
        }
        let lifetime = exp.saturating_sub(self.iat.unwrap_or(now));
        if lifetime > rules.max_lifetime.as_secs().cast_signed() {
            let most = rules.max_lifetime.as_secs();
            return Err(Refused::invalid(format!("it is good for {lifetime} s, and may be for {most} s at most")));
        }
        if exp.saturating_add(leeway) <= now {
            return Err(Refused::expired());
        }
        let grants = self.grtc.map_or_else(|| Ok(Grants { publish: true, ..Grants::default() }), Grants::read)?;
        Ok(Caller { sub: self.sub.map(Arc::from), jti: self.jti, issued_at: self.iat, expires_at, grants })
    }
}

impl Audience {
    fn includes(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Several(several) => several.iter().any(|one| one == wanted),
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => write!(f, "{one:.60?}"),
            Self::Several(several) => write!(f, "a list of {}", several.len()),
        }
    }
}
