//! What comes from the client: counted, limited, parsed, and handed over to its room.

use std::{borrow::Cow, ops::ControlFlow, time::Duration};

use grtc_protocol::{
    CloseCode,
    client::{ClientMessage, Frame},
    limits::{THROTTLE_LIMIT, THROTTLE_PAUSE},
    server::{self, ErrorCode, encode},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use tokio_tungstenite::tungstenite::{self, Message, error::ProtocolError};

use super::{End, Recovery, Session, Throttled};
use crate::{hub::Text, ws::message_budget::Endless};

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn read(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> ControlFlow<End> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return ControlFlow::Break(failed(&error)),
            None => return ControlFlow::Break(End::lost()),
        };
        self.heard = Instant::now();
        self.pinged = None;
        if let Some(debt) = self.rate.take(self.heard.into_std()) {
            self.throttle(debt)?;
        }
        let budget = self.socket.get_mut();
        match message {
            Message::Text(text) => {
                budget.message();
                #[cfg(test)]
                if self.echo {
                    self.outbox.push(text);
                    return ControlFlow::Continue(());
                }
                self.text(&text)
            }
            Message::Binary(_) => {
                budget.message();
                self.refuse(ErrorCode::Unsupported, "grtc takes text frames only", None)
            }
            Message::Ping(payload) => {
                budget.control(payload.len());
                ControlFlow::Continue(())
            }
            Message::Pong(payload) => {
                budget.control(payload.len());
                if self.recovery == Recovery::Pinged {
                    self.recovery = Recovery::Done;
                    self.membership.confirm();
                }
                ControlFlow::Continue(())
            }
            // The library answers the close frame by itself.
            Message::Close(frame) => ControlFlow::Break(End::by_client(frame.map(|frame| frame.code))),
            Message::Frame(_) => ControlFlow::Continue(()),
        }
    }

    fn text(&mut self, text: &str) -> ControlFlow<End> {
        let frame = match Frame::parse(text) {
            Ok(frame) => frame,
            Err(error) => return self.refuse(error.code, &error.message, error.id.as_deref()),
        };
        match frame.message {
            ClientMessage::Leave => return ControlFlow::Break(End::with(CloseCode::Normal)),
            ClientMessage::Ping => self.answer(encode(&server::Pong {}).into()),
            ref message => {
                if let Err((code, text)) = self.membership.send(frame.id.as_deref(), message) {
                    self.answer(error(code, &text, frame.id.as_deref()));
                    return ControlFlow::Continue(());
                }
            }
        }
        if let Some(id) = frame.id {
            self.answer(encode(&server::Ack { reference: id }).into());
        }
        ControlFlow::Continue(())
    }

    fn answer(&self, text: Text) {
        self.membership.answer(&self.outbox, text);
    }

    /// Answers a frame that is none of the protocol's; a flood of them ends the connection.
    fn refuse(&mut self, code: ErrorCode, message: &str, reference: Option<&str>) -> ControlFlow<End> {
        if self.errors.take(self.heard.into_std()).is_some() {
            return ControlFlow::Break(End::with(CloseCode::Policy));
        }
        self.answer(error(code, message, reference));
        ControlFlow::Continue(())
    }

    /// Stops reading until the client has fallen back behind its rate.
    fn throttle(&mut self, debt: Duration) -> ControlFlow<End> {
        let now = self.heard;
        let since = match &self.throttled {
            // Ahead again right after the last pause: it never stopped.
            Some(throttled) if now - throttled.until < Duration::from_secs(1) => throttled.since,
            _ => {
                let text = "this connection sends more than its message rate and is read more slowly";
                self.answer(error(ErrorCode::RateLimited, text, None));
                now
            }
        };
        if now - since > THROTTLE_LIMIT {
            return ControlFlow::Break(End::with(CloseCode::RateLimit));
        }
        self.throttled = Some(Throttled { since, until: now + debt.max(THROTTLE_PAUSE), paused: true });
        ControlFlow::Continue(())
    }
}

fn error(code: ErrorCode, message: &str, reference: Option<&str>) -> Text {
    encode(&server::Error { code, message: message.into(), reference: reference.map(Cow::Borrowed) }).into()
}

/// What a failed read means.
fn failed(error: &tungstenite::Error) -> End {
    use tungstenite::Error::{Capacity, Io, Protocol, Utf8};
    match error {
        Capacity(_) => End::with(CloseCode::TooBig),
        // It ended without a close frame, and may still read.
        Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::lost(),
        Protocol(_) => End::with(CloseCode::Protocol),
        Utf8(_) => End::with(CloseCode::InvalidText),
        Io(error) if error.get_ref().is_some_and(|cause| cause.is::<Endless>()) => End::with(CloseCode::Policy),
        _ => End::lost(),
    }
}
