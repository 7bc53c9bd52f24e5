//! The token that the server was shown, and the one that takes its place.

use grtc_protocol::CloseCode;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use super::LinkError;
use crate::{
    limits::TOKEN_CHECK,
    token::{Token, TokenSource},
};

/// The token of one link.
pub(super) struct Renewal {
    source: TokenSource,
    /// The one that the link was opened with.
    opened: Token,
    /// The one to show: another one than was shown, as long as nobody has looked.
    token: watch::Receiver<Token>,
}

impl Renewal {
    /// Of a link that was opened with this token.
    pub(super) fn new(source: TokenSource, shown: Token) -> Self {
        let (opened, (sender, token)) = (shown.clone(), watch::channel(shown));
        if let TokenSource::File(_) = source {
            // It ends with the link, which has the other end.
            tokio::spawn(follow(source.clone(), sender));
        }
        Self { source, opened, token }
    }

    /// The next token, as a message for the server; never, if there is none. Safe to drop and to call again.
    pub(super) async fn of(renewal: &mut Option<Self>) -> String {
        if let Some(renewal) = renewal
            && renewal.token.changed().await.is_ok()
        {
            return format!(r#"{{"type":"auth","token":"{}"}}"#, renewal.token.borrow_and_update().as_str());
        }
        std::future::pending().await
    }

    /// Why a link has ended: whether it is worth another try, with a newer token, or what to do.
    pub(super) async fn judge(renewal: Option<&Self>, end: LinkError) -> LinkError {
        let is_over = matches!(end, LinkError::Closed { code, .. } if code == CloseCode::NotAuthenticated.code());
        match renewal {
            Some(renewal) if is_over && renewal.has_newer().await => LinkError::TokenReplaced,
            renewal => end.advised(renewal.is_some()),
        }
    }

    /// Whether there is another token than the one that the link was opened with: one that was shown since may have come too late.
    async fn has_newer(&self) -> bool {
        self.source.read().await.is_ok_and(|token| token != self.opened)
    }
}

/// Looks at a file until nobody wants to know.
async fn follow(source: TokenSource, sender: watch::Sender<Token>) {
    let mut ticks = interval(TOKEN_CHECK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = None;
    loop {
        tokio::select! {
            () = sender.closed() => return,
            _ = ticks.tick() => {}
        }
        match source.read().await {
            Ok(token) => {
                // One that is being written may be there in part: it counts when it stays.
                let stays = before.as_ref() == Some(&token);
                if stays && *sender.borrow() != token {
                    tracing::debug!("there is a newer token: the server is shown it");
                    sender.send_replace(token.clone());
                }
                before = Some(token);
            }
            Err(error) => {
                tracing::debug!(%error, "the last token is kept");
                before = None;
            }
        }
    }
}
