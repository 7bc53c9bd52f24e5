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

use super::{End, Recovery, Session, Throttled, lease::Shown};
use crate::{hub::Text, limits::Limit, metrics::Direction, ws::message_budget::Endless};

/// So many deliveries take about as long as reading a message does.
const DELIVERIES_A_READ: usize = 32;

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn read(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> ControlFlow<End> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return ControlFlow::Break(failed(&error)),
            None => return ControlFlow::Break(End::lost()),
        };
        self.heard = Instant::now();
        self.pinged = None;
        self.count()?;
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

    /// Counts a frame. Who is ahead of its rate is read more slowly, and not for ever.
    fn count(&mut self) -> ControlFlow<End> {
        match self.rate.take(self.heard.into_std()) {
            Some(debt) if self.throttle(Limit::MessageRate, debt) > THROTTLE_LIMIT => {
                ControlFlow::Break(End::with(CloseCode::RateLimit))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn text(&mut self, text: &str) -> ControlFlow<End> {
        let parsed = Frame::parse(text);
        self.metrics.message_bytes.add(Direction::In, text.len());
        self.metrics.messages.inc(parsed.as_ref().ok().map(|frame| frame.kind));
        let frame = match parsed {
            Ok(frame) => frame,
            Err(error) => return self.refuse(error.code, &error.message, error.id.as_deref()),
        };
        match frame.message {
            ClientMessage::Leave => return ControlFlow::Break(End::with(CloseCode::Normal)),
            ClientMessage::Ping => self.answer(encode(&server::Pong {}).into()),
            ClientMessage::Auth { token } => {
                let id = frame.id.map(Cow::into_owned);
                self.lease.shown = Some(Shown { token: token.into_owned(), id });
                return ControlFlow::Continue(());
            }
            ClientMessage::Broadcast { .. } | ClientMessage::Direct { .. } if !self.lease.may_publish() => {
                self.answer(error(
                    ErrorCode::NotAllowed,
                    "the token does not allow messages (\"publish\")",
                    frame.id.as_deref(),
                ));
                return ControlFlow::Continue(());
            }
            ClientMessage::Report(report) => self.metrics.pair(&report),
            ClientMessage::IceServers => {
                let servers = self.membership.ice_servers(self.lease.bearer());
                self.answer(encode(&server::IceServers { ice_servers: &servers }).into());
            }
            ref message => match self.membership.send(frame.id.as_deref(), message) {
                Ok(deliveries) => self.delivered(message, deliveries),
                Err((code, text)) => {
                    self.answer(error(code, &text, frame.id.as_deref()));
                    return ControlFlow::Continue(());
                }
            },
        }
        if let Some(id) = frame.id {
            self.answer(encode(&server::Ack { reference: id }).into());
        }
        ControlFlow::Continue(())
    }

    /// Counts what a message has reached. A client whose broadcasts reach more than they may is read more slowly.
    fn delivered(&mut self, message: &ClientMessage<'_>, deliveries: usize) {
        self.metrics.deliveries.inc_by(deliveries as u64);
        self.reads += deliveries / DELIVERIES_A_READ;
        if let ClientMessage::Broadcast { .. } = message {
            let deliveries = u32::try_from(deliveries).unwrap_or(u32::MAX);
            if let Some(debt) = self.deliveries.take_many(deliveries, self.heard.into_std()) {
                self.throttle(Limit::DeliveryRate, debt);
            }
        }
    }

    pub(super) fn answer(&self, text: Text) {
        self.membership.answer(&self.outbox, text);
    }

    /// Answers a frame that is none of the protocol's; a flood of them ends the connection.
    pub(super) fn refuse(&mut self, code: ErrorCode, message: &str, reference: Option<&str>) -> ControlFlow<End> {
        if self.errors.take(self.heard.into_std()).is_some() {
            return ControlFlow::Break(End::with(CloseCode::Policy));
        }
        self.answer(error(code, message, reference));
        ControlFlow::Continue(())
    }

    /// Stops reading until the client has fallen back behind its rate; since how long that goes on.
    fn throttle(&mut self, limit: Limit, debt: Duration) -> Duration {
        let now = self.heard;
        let at = usize::from(limit == Limit::DeliveryRate);
        let since = match &self.throttled[at] {
            // Ahead again right after the last pause: it never stopped.
            Some(throttled) if now - throttled.until < Duration::from_secs(1) => throttled.since,
            _ => {
                self.metrics.limited.inc(limit);
                let text = match limit {
                    Limit::DeliveryRate => {
                        "this connection's broadcasts reach more than its delivery rate and it is read more slowly"
                    }
                    _ => "this connection sends more than its message rate and is read more slowly",
                };
                self.answer(error(ErrorCode::RateLimited, text, None));
                now
            }
        };
        self.throttled[at] = Some(Throttled { since, until: now + debt.max(THROTTLE_PAUSE), paused: true });
        now - since
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
