//! The token by which a peer says who it is.

use std::{fmt, fs::File, io::Read, path::PathBuf};

use tokio::task::spawn_blocking;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::limits::TOKEN_BYTES;

/// Where the token comes from that a peer shows to its server: a JWT (RFC 7519), as `grtc-server token create` makes one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// This one.
    Text(String),
    /// A file with a token and nothing else but white space around it. A newer one in its place is shown to the server within
    /// some seconds, without a break, so that somebody who replaces it in time keeps the peer in its room.
    File(PathBuf),
}

/// Not what it is.
impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// A token as it is shown: three parts of letters, digits, `-` and `_`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// How it is shown when a link is asked for (RFC 6750). The header prints as nothing.
    pub(crate) fn bearer(&self) -> HeaderValue {
        // A token has no character that a header may not have.
        let value = HeaderValue::try_from(format!("Bearer {}", self.0));
        let mut value = value.unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        value.set_sensitive(true);
        value
    }

    /// What looks like one. Whether it is good is the server's to say.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let is_token = text.len() <= TOKEN_BYTES && text.split('.').count() == 3 && text.split('.').all(is_part);
        is_token.then(|| Self(text.to_owned()))
    }
}

impl TokenSource {
    /// The token that it has now, or why it has none.
    pub(crate) async fn read(&self) -> Result<Token, String> {
        match self {
            Self::Text(text) => Token::parse(text).ok_or_else(|| {
                "what was given as a token is none: a JWT has three parts with a dot between them".to_owned()
            }),
            Self::File(path) => {
                let (name, path) = (path.display().to_string(), path.clone());
                // A file may be where reading takes its time.
                let text = spawn_blocking(move || beginning(&path)).await;
                let text = text.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                let text = text.map_err(|error| format!("the token file {name} can't be read: {error}"))?;
                Token::parse(&text).ok_or_else(|| {
                    format!(
                        "the token file {name} has no token in it: a JWT and nothing else, three parts with a dot between them"
                    )
                })
            }
        }
    }
}

/// No more of a file than a token could be, so that a wrong one does no harm.
fn beginning(path: &std::path::Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(2 * TOKEN_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_has_one_token_and_white_space() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let source = TokenSource::File(path.clone());
        let read = async |text: &str| {
            std::fs::write(&path, text).unwrap();
            source.read().await
        };
        assert_eq!(read("\n a-1.b_2.c3 \r\n").await.unwrap().as_str(), "a-1.b_2.c3");
        let long = format!("a.b.{}", "c".repeat(TOKEN_BYTES));
        for text in ["", "a.b", "a..c", "a.b.c.d", "Bearer a.b.c", "a.b.c\nd.e.f", "a.b.ü", &long] {
            let error = read(text).await.unwrap_err();
            assert!(error.contains("token file") && error.contains("three parts"), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(source.read().await.unwrap_err().contains("can't be read"));
    }

    #[tokio::test]
    async fn a_token_is_not_printed() {
        let source = TokenSource::Text("canary.canary.canary".to_owned());
        let token = source.read().await.unwrap();
        let wrong = TokenSource::Text("canary".to_owned()).read().await.unwrap_err();
        let printed = format!("{source:?} {token:?} {wrong} {:?}", token.bearer());
        assert!(!printed.contains("canary"), "{printed}");
    }
}
