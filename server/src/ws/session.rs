//! One connection, from its join to its end, in one task: it reads, limits and hands over what the client sends, and
//! writes what waits in its outbox.

mod end;
mod incoming;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    future::poll_fn,
    ops::ControlFlow,
    pin::Pin,
    task::{self, Poll},
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use grtc_protocol::{
    CloseCode,
    limits::{
        CLOSE_GRACE, ERROR_BURST, ERROR_RATE, HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, MESSAGE_BURST, READS_IN_A_ROW,
        WRITE_STALL,
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::{self, Message};

use self::end::{End, finish};
use super::{join::Join, message_budget::Socket, throttle::Throttle};
use crate::hub::{
    outbox::{Next, Outbox},
    registry::{Membership, Registry},
};

/// What a session needs from outside.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) registry: Registry,
    /// Messages a second that one client may send; 0: any number.
    pub(crate) message_rate: u32,
    /// Texts are sent back, and nobody is told of anybody: for Autobahn.
    #[cfg(test)]
    pub(crate) echo: bool,
}

struct Session<S> {
    socket: Socket<S>,
    #[cfg(test)]
    echo: bool,
    outbox: Outbox,
    membership: Membership,
    rate: Throttle,
    errors: Throttle,
    /// How often the client has been read in a row without a look at the outbox.
    reads: usize,
    throttled: Option<Throttled>,
    heard: Instant,
    /// When the unanswered ping went out.
    pinged: Option<Instant>,
    /// Who came back is known to have got what it came for once it has answered a ping that was sent after it.
    recovery: Recovery,
}

#[derive(Clone, Copy, PartialEq)]
enum Recovery {
    Unsent,
    Pinged,
    Done,
}

/// A client that is ahead of its rate: since when, and until when it is not read.
struct Throttled {
    since: Instant,
    until: Instant,
    paused: bool,
}

/// What happens next.
enum Event {
    Read(Option<Result<Message, tungstenite::Error>>),
    Outbox(Next),
    Alarm,
}

/// Serves one client until it goes. What it asked for is boxed: the task would hold it to its end, and several times.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut socket: Socket<S>, join: Box<Join>, context: Context) {
    let outbox = Outbox::default();
    let Join { room, peer, asks, request } = *join;
    let membership = match context.registry.join(&room, peer, outbox.clone(), asks) {
        Ok(membership) => membership,
        Err(code) => {
            end::log(request, Some(code));
            return finish(&mut socket, VecDeque::new(), Some(code)).await;
        }
    };
    #[cfg(test)]
    if context.echo {
        outbox.take();
    }
    let recovery = if membership.place.recovered { Recovery::Unsent } else { Recovery::Done };
    let mut session = Session {
        socket,
        #[cfg(test)]
        echo: context.echo,
        outbox,
        membership,
        rate: Throttle::new(context.message_rate, MESSAGE_BURST),
        errors: Throttle::new(ERROR_RATE, ERROR_BURST),
        reads: 0,
        throttled: None,
        heard: Instant::now(),
        pinged: None,
        recovery,
    };
    let end = session.serve().await;
    end::log(request, end.code);
    (session.membership.reason, session.membership.may_return) = (end.reason, end.may_return);
    let Session { mut socket, membership, outbox, .. } = session;
    // The others learn of it now; the goodbye to this client may take a while.
    drop(membership);
    finish(&mut socket, outbox.take(), end.code).await;
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn serve(&mut self) -> End {
        let alarm = sleep_until(self.next_alarm());
        tokio::pin!(alarm);
        loop {
            let step = match poll_fn(|cx| self.poll_event(cx, alarm.as_mut())).await {
                Event::Read(message) => {
                    let step = self.read(message);
                    if self.paused() {
                        alarm.as_mut().reset(self.next_alarm());
                    }
                    step
                }
                Event::Outbox(next) => self.write(next).await,
                Event::Alarm => {
                    let step = self.on_alarm().await;
                    alarm.as_mut().reset(self.next_alarm());
                    step
                }
            };
            if let ControlFlow::Break(end) = step {
                return end;
            }
        }
    }

    /// Reads first, since what is read together can be answered with one write, but not for ever: a client that never
    /// pauses still gets its answers.
    fn poll_event(&mut self, cx: &mut task::Context<'_>, alarm: Pin<&mut Sleep>) -> Poll<Event> {
        let paused = self.paused();
        if !paused
            && self.reads < READS_IN_A_ROW
            && let Poll::Ready(message) = self.socket.poll_next_unpin(cx)
        {
            self.reads += 1;
            return Poll::Ready(Event::Read(message));
        }
        let waited = std::mem::take(&mut self.reads) >= READS_IN_A_ROW;
        if let Poll::Ready(next) = self.outbox.poll_next(cx) {
            return Poll::Ready(Event::Outbox(next));
        }
        if !paused
            && waited
            && let Poll::Ready(message) = self.socket.poll_next_unpin(cx)
        {
            return Poll::Ready(Event::Read(message));
        }
        alarm.poll(cx).map(|()| Event::Alarm)
    }

    fn paused(&self) -> bool {
        self.throttled.as_ref().is_some_and(|throttled| throttled.paused)
    }

    fn next_alarm(&self) -> Instant {
        match (&self.throttled, self.pinged) {
            (Some(Throttled { until, paused: true, .. }), _) => *until,
            (_, Some(pinged)) => pinged + HEARTBEAT_TIMEOUT,
            (_, None) => self.heard + HEARTBEAT_INTERVAL,
        }
    }

    /// Writes all that waits, with one flush.
    async fn write(&mut self, next: Next) -> ControlFlow<End> {
        match next {
            Next::Close(code) => ControlFlow::Break(End::with(code)),
            Next::Write(frames) => {
                self.send(frames.into_iter().map(Message::Text)).await?;
                if self.recovery == Recovery::Unsent {
                    self.recovery = Recovery::Pinged;
                    self.send(std::iter::once(Message::Ping(Bytes::new()))).await?;
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// Sends some messages and flushes once. A client that takes nothing for too long, or whose outbox overflows
    /// meanwhile, is too slow.
    async fn send(&mut self, messages: impl Iterator<Item = Message>) -> ControlFlow<End> {
        let (socket, outbox) = (&mut self.socket, &self.outbox);
        let written = timeout(WRITE_STALL, async {
            for message in messages {
                socket.feed(message).await?;
            }
            socket.flush().await
        });
        tokio::pin!(written);
        let result = tokio::select! {
            biased;
            result = written.as_mut() => result.map_err(|_| CloseCode::TooSlow),
            code = poll_fn(|cx| outbox.poll_closed(cx)) => match code {
                CloseCode::TooSlow => Err(code),
                // What is being written is written to its end, if that does not take long.
                code => match timeout(CLOSE_GRACE, written).await {
                    Ok(Ok(Ok(()))) | Err(_) => Err(code),
                    Ok(result) => result.map_err(|_| CloseCode::TooSlow),
                },
            },
        };
        match result {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) => ControlFlow::Break(End::lost()),
            Err(code) => ControlFlow::Break(End::with(code)),
        }
    }

    /// Ends a pause, pings a client that has been silent, gives up one that let the last ping go unanswered.
    async fn on_alarm(&mut self) -> ControlFlow<End> {
        let now = Instant::now();
        if let Some(throttled) = self.throttled.as_mut().filter(|throttled| throttled.paused) {
            throttled.paused = false;
            return ControlFlow::Continue(());
        }
        match self.pinged {
            Some(pinged) if now - pinged >= HEARTBEAT_TIMEOUT => ControlFlow::Break(End::with(CloseCode::NoHeartbeat)),
            None if now - self.heard >= HEARTBEAT_INTERVAL => {
                self.pinged = Some(now);
                self.send(std::iter::once(Message::Ping(Bytes::new()))).await
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
