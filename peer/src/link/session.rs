//! One stay in a room over as many links as it takes.

#[cfg(test)]
mod tests;

use std::{future::Future, mem, pin::Pin, sync::Arc, time::Duration};

use grtc_protocol::{PeerId, server::ServerMessage};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::{Back, Incoming, Join, LinkEnds, LinkError, Outgoing, SignalLink, backoff::Backoff, outbox::Outbox};
use crate::limits::{CHANGED_PONG, DOUBT_PONG, LINK_CLOSE, LINK_OPEN, NAME_TAKEN_GRACE, SIGNAL_QUEUE};

type Opening = Pin<Box<dyn Future<Output = Result<LinkEnds, LinkError>> + Send>>;

/// What happened on the link.
pub(crate) enum Change {
    /// A text frame. The first of each link is a `room_state`.
    Text(String),
    /// The link is lost and will be opened again.
    Reconnecting { attempt: u32, delay: Duration, why: LinkError },
    /// It will not be.
    Ended(LinkError),
}

enum State {
    Up(LinkEnds),
    /// Until the first instant, and in no case less than until the second: the server asked for that.
    Waiting(Instant, Instant),
    Opening(Opening),
    /// It is open, and has to say who is in the room until then. It is not dropped before: that may have the next token.
    Entering(LinkEnds, Instant),
    Ended,
}

/// Keeps a link open.
pub(crate) struct Session {
    link: Arc<dyn SignalLink>,
    id: PeerId,
    state: State,
    backoff: Backoff,
    /// Since when the own name is refused.
    taken: Option<Instant>,
    /// What the last `room_state` gave to come back with, and how many frames have followed.
    token: Option<String>,
    received: u64,
    outbox: Outbox,
    /// The link is doubted, and has to give a sign of life within this time.
    doubt: Option<Duration>,
}

/// Opens a link and waits for its first frame.
pub(crate) async fn first_frame(link: &dyn SignalLink, join: &Join) -> Result<(LinkEnds, String), LinkError> {
    let mut ends = link.open(join).await?;
    let text = enter(&mut ends, Instant::now() + LINK_OPEN).await?;
    Ok((ends, text))
}

impl Session {
    /// A session on a link that is open, and whose `room_state` had this token.
    pub(crate) fn new(
        link: Arc<dyn SignalLink>,
        id: PeerId,
        ends: LinkEnds,
        token: Option<String>,
        rng: fastrand::Rng,
    ) -> Self {
        let mut outbox = Outbox::default();
        outbox.begin_anew(token.is_some());
        let (state, backoff) = (State::Up(ends), Backoff::new(rng));
        Self { link, id, state, backoff, taken: None, token, received: 0, outbox, doubt: None }
    }

    /// Sends a frame, now or once the link is open again. A server that keeps nobody's place gets nothing of the time between:
    /// the negotiators say it again.
    pub(crate) fn send(&mut self, text: String) {
        if matches!(self.state, State::Up(_)) || self.outbox.keeps() {
            self.outbox.push(text);
        }
    }

    /// Whether no more should be given to [`Session::send`] for now: the server is slow. One that is away holds up nobody.
    pub(crate) fn is_congested(&self) -> bool {
        matches!(self.state, State::Up(_)) && self.outbox.len() >= SIGNAL_QUEUE / 2
    }

    /// The network of this machine has changed, or it has slept: whatever waits is tried at once.
    pub(crate) fn changed(&mut self) {
        match &mut self.state {
            State::Up(_) => self.doubt = Some(CHANGED_PONG),
            State::Entering(ends, _) => {
                // Nothing else has been put in yet.
                let _ = ends.outgoing.try_send(Outgoing::Probe(CHANGED_PONG));
            }
            State::Waiting(until, hint) => {
                *until = Instant::now().max(*hint);
                self.backoff.reset();
            }
            State::Opening(_) => self.open(),
            State::Ended => {}
        }
    }

    /// Something speaks against the link: the server is asked for a sign of life.
    pub(crate) fn doubt(&mut self) {
        if let State::Up(_) = self.state {
            self.doubt.get_or_insert(DOUBT_PONG);
        }
    }

    /// The next change; frames go out meanwhile. Safe to drop and to call again. Pending for ever after
    /// [`Change::Ended`].
    pub(crate) async fn next(&mut self) -> Change {
        loop {
            match &mut self.state {
                State::Up(ends) => match exchange(ends, &mut self.outbox, &mut self.doubt).await {
                    Ok(text) => {
                        self.received += 1;
                        if !self.outbox.heard(&text) {
                            return Change::Text(text);
                        }
                    }
                    Err(error) => return self.lost(error),
                },
                State::Waiting(until, _) => {
                    sleep_until(*until).await;
                    self.open();
                }
                State::Opening(opening) => match opening.await {
                    Ok(ends) => self.state = State::Entering(ends, Instant::now() + LINK_OPEN),
                    Err(error) => return self.lost(error),
                },
                State::Entering(ends, until) => match enter(ends, *until).await {
                    Ok(text) => return self.entered(text),
                    Err(error) => return self.lost(error),
                },
                State::Ended => std::future::pending().await,
            }
        }
    }

    fn open(&mut self) {
        let back = self.token.clone().map(|token| Back { token, received: self.received });
        let join = Join { id: Some(self.id.clone()), back };
        let link = Arc::clone(&self.link);
        self.state = State::Opening(Box::pin(async move { link.open(&join).await }));
    }

    /// The link is open again: what was on its way goes on, or all begins anew.
    fn entered(&mut self, text: String) -> Change {
        if let State::Entering(ends, _) = mem::replace(&mut self.state, State::Ended) {
            self.state = State::Up(ends);
        }
        let (token, recovered) = match ServerMessage::parse(&text) {
            Ok(ServerMessage::RoomState(state)) => (state.resume_token, state.recovered == Some(true)),
            _ => (None, false),
        };
        tracing::debug!(recovered, "the link to the server is open again");
        match recovered {
            true => self.outbox.again(),
            false => self.outbox.begin_anew(token.is_some()),
        }
        (self.token, self.received) = (token.map(String::from), 0);
        self.taken = None;
        self.backoff.reset();
        Change::Text(text)
    }

    fn lost(&mut self, error: LinkError) -> Change {
        if !self.outbox.keeps() {
            self.outbox.begin_anew(false);
        }
        self.doubt = None;
        // The server may not have noticed yet that the last link is gone.
        let taken = error.is_name_taken().then(|| self.taken.unwrap_or_else(Instant::now));
        self.taken = taken;
        let own_ghost = taken.is_some_and(|since| since.elapsed() < NAME_TAKEN_GRACE);
        if error.is_final() && !own_ghost {
            self.state = State::Ended;
            return Change::Ended(error);
        }
        tracing::debug!(%error, "the link to the server is lost");
        let (attempt, mut delay) = self.backoff.next();
        let hint = error.retry_hint().unwrap_or_default();
        if attempt == 1 && error.may_return_at_once() {
            delay = Duration::ZERO;
        }
        delay += hint;
        self.state = State::Waiting(Instant::now() + delay, Instant::now() + hint);
        Change::Reconnecting { attempt, delay, why: error }
    }

    /// Says goodbye and waits until the link has ended.
    pub(crate) async fn leave(self) {
        let (State::Up(ends) | State::Entering(ends, _)) = self.state else { return };
        let LinkEnds { outgoing, mut incoming } = ends;
        let rest = self.outbox.rest().map(Outgoing::Text).chain([Outgoing::Leave]);
        let goodbye = async move {
            for last in rest {
                if outgoing.send(last).await.is_err() {
                    break;
                }
            }
            drop(outgoing);
            while incoming.recv().await.is_some() {}
        };
        // A server that does not take it will notice by itself.
        let _ = timeout(LINK_CLOSE, goodbye).await;
    }
}

/// Waits for the frame that says who is in the room.
async fn enter(ends: &mut LinkEnds, until: Instant) -> Result<String, LinkError> {
    match timeout_at(until, ends.incoming.recv()).await {
        Ok(incoming) => heard(incoming),
        Err(_) => {
            ends.incoming.close();
            match ends.incoming.try_recv() {
                // In the last moment: its token counts.
                Ok(incoming) => heard(Some(incoming)),
                Err(_) => Err(LinkError::Unreachable("the server does not say who is in the room".to_owned())),
            }
        }
    }
}

/// Sends what is to be sent until something comes.
async fn exchange(ends: &mut LinkEnds, outbox: &mut Outbox, doubt: &mut Option<Duration>) -> Result<String, LinkError> {
    loop {
        // In this order: what has come is looked at before it is taken for missing.
        tokio::select! {
            biased;
            Ok(permit) = ends.outgoing.reserve(), if doubt.is_some() || outbox.has_next() => {
                if let Some(within) = doubt.take() {
                    permit.send(Outgoing::Probe(within));
                } else if let Some(text) = outbox.next() {
                    permit.send(Outgoing::Text(text));
                }
            }
            incoming = ends.incoming.recv() => return heard(incoming),
            () = sleep_until(outbox.overdue().unwrap_or_else(Instant::now)), if outbox.overdue().is_some() => {
                tracing::debug!("the server answers for nothing of what was sent: the link is doubted");
                outbox.doubted();
                doubt.get_or_insert(DOUBT_PONG);
            }
        }
    }
}

fn heard(incoming: Option<Incoming>) -> Result<String, LinkError> {
    match incoming {
        Some(Incoming::Text(text)) => Ok(text),
        Some(Incoming::End(error)) => Err(error),
        None => Err(LinkError::Unreachable("the link ended".to_owned())),
    }
}
