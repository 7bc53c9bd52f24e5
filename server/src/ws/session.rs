//! One connection, from its join to its end, in one task: it reads, limits and hands over what the client sends, and
//! writes what waits in its outbox.

mod end;
mod enter;
mod incoming;
mod lease;
mod renewal;
#[cfg(test)]
mod tests;
mod writing;

use std::{
    future::poll_fn,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use futures_util::StreamExt;
use grtc_protocol::{
    CloseCode,
    limits::{ERROR_BURST, ERROR_RATE, HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, READS_IN_A_ROW},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::yield_now,
    time::{Instant, Sleep, sleep_until},
};
use tokio_tungstenite::tungstenite::{self, Message};

use self::{
    end::{End, finish},
    enter::enter,
    lease::Lease,
};

pub(super) use self::enter::{refuse, unauthorized};
use super::{join::Join, message_budget::Socket, throttle::Throttle};
use crate::{
    auth::Auth,
    hub::{
        outbox::{Next, Outbox},
        registry::{Membership, Registry},
    },
    limits::{Limit, Values},
    metrics::Metrics,
};

/// What a session needs from outside.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) registry: Registry,
    /// Who looks at newer tokens; none where nobody needs one.
    pub(crate) auth: Option<Auth>,
    /// Of which the rates of one client count here.
    pub(crate) limits: Values,
    pub(crate) metrics: Arc<Metrics>,
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
    /// It ends with its token.
    lease: Lease,
    metrics: Arc<Metrics>,
    rate: Throttle,
    /// Of its broadcasts, each as many as it reaches.
    deliveries: Throttle,
    errors: Throttle,
    /// How often the client has been read in a row without a look at the outbox; what reaches many counts for more than one.
    reads: usize,
    /// Ahead of its rate of messages, and of deliveries.
    throttled: [Option<Throttled>; 2],
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

/// Serves one client, whose request came at `begun`, until it goes. What it asked for is boxed: the task would hold it to its end, and several times.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    socket: Socket<S>,
    join: Box<Join>,
    begun: std::time::Instant,
    context: Context,
) {
    let (outbox, request, metrics) = (Outbox::default(), join.request, context.metrics.clone());
    let lease = Lease::new(context.auth, join.bearer.clone());
    let membership = match enter(&context.registry, &metrics, *join, &outbox) {
        Ok(membership) => membership,
        Err(code) => return refuse(socket, request, code, &metrics).await,
    };
    metrics.join_seconds.observe(begun.elapsed().as_secs_f64());
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
        lease,
        metrics: metrics.clone(),
        rate: Throttle::of(context.limits.rate(Limit::MessageRate)),
        deliveries: Throttle::of(context.limits.rate(Limit::DeliveryRate)),
        errors: Throttle::new(ERROR_RATE, ERROR_BURST),
        reads: 0,
        throttled: [None, None],
        heard: Instant::now(),
        pinged: None,
        recovery,
    };
    let end = session.serve().await;
    end::log(request, session.lease.bearer(), begun, &end);
    metrics.close(end.code.or(end.by_client));
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
                    let mut step = self.read(message);
                    let shown = self.lease.shown.take();
                    let is_due_otherwise = shown.is_some() || self.paused();
                    if let Some(shown) = shown {
                        step = Box::pin(self.renew(shown)).await;
                    }
                    if is_due_otherwise {
                        alarm.as_mut().reset(self.next_alarm());
                    }
                    if self.reads >= READS_IN_A_ROW {
                        // A task that has enough to read would not let go of its thread by itself.
                        yield_now().await;
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
        self.pauses().next().is_some()
    }

    /// Until when it is not read.
    fn pauses(&self) -> impl Iterator<Item = Instant> {
        self.throttled.iter().flatten().filter(|throttled| throttled.paused).map(|throttled| throttled.until)
    }

    fn next_alarm(&self) -> Instant {
        let next = match (self.pauses().max(), self.pinged) {
            (Some(until), _) => until,
            (_, Some(pinged)) => pinged + HEARTBEAT_TIMEOUT,
            (_, None) => self.heard + HEARTBEAT_INTERVAL,
        };
        self.lease.look().map_or(next, |look| look.min(next))
    }

    /// Ends a pause, pings a client that has been silent, gives up one that let the last ping go unanswered.
    async fn on_alarm(&mut self) -> ControlFlow<End> {
        let now = Instant::now();
        if self.lease.has_expired(now) {
            return ControlFlow::Break(End::with(CloseCode::NotAuthenticated));
        }
        if self.paused() {
            self.throttled.iter_mut().flatten().for_each(|throttled| throttled.paused = false);
            return ControlFlow::Continue(());
        }
        match self.pinged {
            Some(pinged) if now - pinged >= HEARTBEAT_TIMEOUT => ControlFlow::Break(End::with(CloseCode::NoHeartbeat)),
            None if now - self.heard >= HEARTBEAT_INTERVAL => {
                self.pinged = Some(now);
                self.ping().await
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
