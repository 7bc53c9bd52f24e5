//! What to do when the server asks for another identity.

use grtc_protocol::CloseCode;

use super::LinkError;

const NO_TOKEN: &str =
    "it asks who comes: --token-file FILE, or GRTC_TOKEN, shows it a token, as `grtc-server token create` makes one";
const NOT_ALLOWED: &str =
    "ask for a token that allows this room, and this id; `grtc-server token check` says what the present one allows";
const NOT_GOOD: &str = "a newer token is needed; `grtc-server token check` says what is wrong with this one";

impl LinkError {
    /// It, with a sentence for who was shown a token or not.
    pub(super) fn advised(self, had_token: bool) -> Self {
        if !self.is_unauthorized() {
            return self;
        }
        let advice = |is_forbidden| match had_token {
            false => NO_TOKEN,
            true if is_forbidden => NOT_ALLOWED,
            true => NOT_GOOD,
        };
        match self {
            Self::Refused { status, code, message, retry_after } => {
                Self::Refused { message: format!("{message}: {}", advice(status == 403)), status, code, retry_after }
            }
            Self::Closed { code, message } => {
                let is_forbidden = code == CloseCode::NotAllowed.code();
                Self::Closed { code, message: format!("{message}: {}", advice(is_forbidden)) }
            }
            error => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_let_in_is_told_what_to_do() {
        let closed = |code| LinkError::Closed { code, message: "why".to_owned() };
        let refused =
            |status| LinkError::Refused { status, code: String::new(), message: "why".to_owned(), retry_after: None };
        for (error, had_token, advice) in [
            (closed(4401), false, NO_TOKEN),
            (closed(4401), true, NOT_GOOD),
            (closed(4403), true, NOT_ALLOWED),
            (refused(401), false, NO_TOKEN),
            (refused(403), true, NOT_ALLOWED),
        ] {
            assert_eq!(error.advised(had_token).to_string(), format!("why: {advice}"));
        }
        for error in [closed(4409), closed(1012), refused(404), LinkError::TokenReplaced] {
            assert_eq!(error.clone().advised(true), error);
        }
    }
}
