//! The tokens that clients show.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use grtc_server::{AuthConfig, TokenMaker};
use jiff::Timestamp;
use serde_json::json;

/// Seconds that a token is good for: as long as any measurement.
const LIFETIME: i64 = 12 * 60 * 60;

/// Where they come from.
#[derive(Debug, Default)]
pub enum Tokens {
    /// Nobody shows one.
    #[default]
    None,
    /// Each client shows one of its own.
    Signed(Box<TokenMaker>),
    /// All show this one.
    Given(String),
}

impl Tokens {
    /// Signs them with the key in this file.
    ///
    /// # Errors
    /// When there is no key in it.
    pub fn signed_with(path: &Path) -> anyhow::Result<Self> {
        let key = fs::read(path).with_context(|| format!("can't read the key {}", path.display()))?;
        let maker = TokenMaker::read(&key).with_context(|| format!("{} can't be used as a key", path.display()))?;
        Ok(Self::Signed(Box::new(maker)))
    }

    /// The one token in this file.
    ///
    /// # Errors
    /// When there is none in it.
    pub fn in_file(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("can't read the token in {}", path.display()))?;
        let token = text.trim();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(is_token, "there is no token in {}: it takes one, in one line", path.display());
        Ok(Self::Given(token.to_owned()))
    }

    /// The token of `sub`. A client without one is counted by its address, and loopback is not counted.
    ///
    /// # Errors
    /// When it can't be signed.
    pub fn of(&self, sub: Option<&str>) -> anyhow::Result<Option<String>> {
        match self {
            Self::None => Ok(None),
            Self::Given(token) => Ok(Some(token.clone())),
            Self::Signed(maker) => {
                let now = Timestamp::now().as_second();
                let mut claims = json!({
                    "aud": AuthConfig::default().auth_audience,
                    "iat": now,
                    "exp": now + LIFETIME,
                    "grtc": {"rooms": ["*"], "items": "write"},
                });
                if let Some(sub) = sub {
                    claims["sub"] = json!(sub);
                }
                maker.sign(&claims).map(Some)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn each_sub_has_a_token_of_its_own() {
        let tokens = Tokens::signed_with(file("0123456789abcdef0123456789abcdef\n").path()).unwrap();
        let parts = |sub| tokens.of(sub).unwrap().unwrap().split('.').count();
        assert_eq!((parts(Some("a")), parts(None)), (3, 3));
        assert_ne!(tokens.of(Some("a")).unwrap(), tokens.of(Some("b")).unwrap());
        assert!(Tokens::signed_with(file("short").path()).is_err());
        assert_eq!(Tokens::None.of(Some("a")).unwrap(), None);
    }

    #[test]
    fn a_file_has_one_token() {
        let token = |content| Tokens::in_file(file(content).path());
        assert_eq!(token("a.b.c\n").unwrap().of(Some("x")).unwrap().as_deref(), Some("a.b.c"));
        assert!(token(" \n").is_err());
        assert!(token("a.b.c\nd.e.f\n").is_err());
    }
}
