//! What a client proves with that a place in a room is its own.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// 128 bits that nobody guesses. They are compared in constant time, and `Debug` does not show them.
#[derive(Clone, Copy)]
pub(crate) struct Token([u8; 16]);

impl Token {
    /// A new one, from the system's randomness.
    ///
    /// # Errors
    /// When the system has none.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads what [`Token::text`] has written; none if it can't be that.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
        Some(Self(number.to_be_bytes()))
    }

    /// As it goes to the client.
    pub(crate) fn text(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    pub(crate) fn is(self, other: Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_is_written_and_shown_to_nobody() {
        let token = Token::new().unwrap();
        assert!(Token::parse(&token.text()).is_some_and(|read| read.is(token)));
        assert!(!Token::new().unwrap().is(token));
        assert!(!format!("{token:?}").contains(&token.text()));
        for none in ["", "0", "+0000000000000000000000000000000", &"g".repeat(32), &"0".repeat(33), "é"] {
            assert!(Token::parse(none).is_none_or(|read| !read.is(token)), "{none}");
        }
    }
}
