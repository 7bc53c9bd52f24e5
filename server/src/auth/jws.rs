//! Signed tokens in their compact form (RFC 7515 section 7.1).

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use grtc_protocol::json;
use serde::{Deserialize, de::IgnoredAny};

use super::{grants::present, key::Key, refused::Refused};

/// Longest token, in bytes.
pub(crate) const TOKEN_BYTES: usize = 8 * 1024;

/// What counts of a token's header. Where to find keys (`jku`, `jwk`, `x5u`, `x5c`) is nothing that a token may say: it is
/// passed over.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(default, borrow, deserialize_with = "present")]
    kid: Option<Cow<'a, str>>,
    /// Extensions that have to be understood: none is.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

/// A token that was taken apart, and not checked yet.
pub(crate) struct Token<'a> {
    /// The algorithm that its header names.
    pub(crate) algorithm: String,
    /// The name of the key that its header gives.
    pub(crate) key_id: Option<String>,
    /// What is signed.
    message: &'a str,
    signature: Vec<u8>,
    payload: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// When it has not the form of one, or its header asks for what grtc does not know.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refused> {
        if text.len() > TOKEN_BYTES {
            return Err(Refused::invalid(format!("it has more than {TOKEN_BYTES} bytes")));
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::invalid("it has not the three parts of a signed token, with dots between them"));
        };
        let decoded = |part: &str, what: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part);
            bytes.map_err(|_| Refused::invalid(format!("its {what} is not in Base64 as tokens have it")))
        };
        let text_of = |part: &str, what: &str| {
            // What is read of JSON skips over texts that it has no use for.
            let text = String::from_utf8(decoded(part, what)?);
            text.map_err(|_| Refused::invalid(format!("its {what} is not UTF-8")))
        };
        let (raw, read, signature) =
            (text_of(header, "header")?, text_of(payload, "payload")?, decoded(signature, "signature")?);
        let header_read: Header<'_> = json::object(raw.as_bytes())
            .map_err(|error| Refused::invalid(format!("its header can't be read: {error}")))?;
        if header_read.crit.is_some() {
            return Err(Refused::invalid("its header asks for extensions (\"crit\"), and grtc knows none"));
        }
        Ok(Self {
            algorithm: header_read.alg.into_owned(),
            key_id: header_read.kid.map(Cow::into_owned),
            message: &text[..header.len() + 1 + payload.len()],
            signature,
            payload: read.into_bytes(),
        })
    }

    /// The payload, if one of these keys has signed it. The token only says which of them to look at first.
    ///
    /// # Errors
    /// When none of them has.
    pub(crate) fn verified<'k>(&self, keys: impl Iterator<Item = &'k Key> + Clone) -> Result<&[u8], Refused> {
        let fits = |key: &&Key| key.algorithm().name() == self.algorithm;
        if !keys.clone().any(|key| fits(&key)) {
            let text = format!("its algorithm is {:.20?}, and this server has no key for that", self.algorithm);
            return Err(Refused::invalid(text));
        }
        // A key with a name is asked only under it.
        let may = |key: &&Key| key.id.is_none() || self.key_id.is_none() || key.id.as_deref() == self.key_id.as_deref();
        match keys.filter(fits).filter(may).any(|key| key.verifies(self.message.as_bytes(), &self.signature)) {
            true => Ok(&self.payload),
            false => Err(Refused::invalid("it was not signed with a key of this server")),
        }
    }

    /// The payload as it came: nobody vouches for it.
    pub(crate) fn unverified(&self) -> &[u8] {
        &self.payload
    }
}
