//! One stay in a room over as many links as it takes.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, future::Future, pin::Pin, sync::Arc, time::Duration};

use grtc_protocol::PeerId;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Incoming, LinkEnds, LinkError, SignalLink, backoff::Backoff};
use crate::limits::{LINK_CLOSE, LINK_OPEN, NAME_TAKEN_GRACE, SIGNAL_QUEUE};

const LEAVE: &str = r#"{"type":"leave"}"#;

type Opening = Pin<Box<dyn Future<Output = Result<(LinkEnds, String), LinkError>> + Send>>;

/// What happened on the link.
pub(crate) enum Change {
    /// A text frame. The first of each link is a `room_state`.
    Text(String),
    /// The link is lost and will be opened again.
    Reconnecting { attempt: u32, delay: Duration },
    /// It will not be.
    Ended(LinkError),
}

enum State {
    Up(LinkEnds),
    Waiting(Instant),
    Opening(Opening),
    Ended,
}

/// Keeps a link open.
pub(crate) struct Session {
    link: Arc<dyn SignalLink>,
    id: PeerId,
    state: State,
    backoff: Backoff,
    /// When the last link was lost.
    lost: Option<Instant>,
    outgoing: VecDeque<String>,
}

/// Opens a link and waits for its first frame.
pub(crate) async fn first_frame(
    link: Arc<dyn SignalLink>,
    id: Option<PeerId>,
) -> Result<(LinkEnds, String), LinkError> {
    let mut ends = link.open(id.as_ref()).await?;
    match timeout(LINK_OPEN, ends.incoming.recv()).await {
        Ok(Some(Incoming::Text(text))) => Ok((ends, text)),
        Ok(Some(Incoming::End(error))) => Err(error),
        Ok(None) => Err(LinkError::Unreachable("the link ended at once".to_owned())),
        Err(_) => Err(LinkError::Unreachable("the server does not say who is in the room".to_owned())),
    }
}

impl Session {
    /// A session on a link that is open.
    pub(crate) fn new(link: Arc<dyn SignalLink>, id: PeerId, ends: LinkEnds, rng: fastrand::Rng) -> Self {
        let backoff = Backoff::new(rng);
        Self { link, id, state: State::Up(ends), backoff, lost: None, outgoing: VecDeque::new() }
    }

    /// Sends a frame, if the link is up. A frame that can't be sent is dropped: the negotiators say it again.
    pub(crate) fn send(&mut self, text: String) {
        if matches!(self.state, State::Up(_)) && self.outgoing.len() < SIGNAL_QUEUE {
            self.outgoing.push_back(text);
        }
    }

    /// Whether no more should be given to [`Session::send`] for now.
    pub(crate) fn is_congested(&self) -> bool {
        self.outgoing.len() >= SIGNAL_QUEUE / 2
    }

    /// The next change; frames go out meanwhile. Safe to drop and to call again. Pending for ever after
    /// [`Change::Ended`].
    pub(crate) async fn next(&mut self) -> Change {
        loop {
            let change = match &mut self.state {
                State::Up(ends) => match exchange(ends, &mut self.outgoing).await {
                    Incoming::Text(text) => Some(Change::Text(text)),
                    Incoming::End(error) => Some(self.lost(error)),
                },
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    self.state = State::Opening(Box::pin(first_frame(Arc::clone(&self.link), Some(self.id.clone()))));
                    None
                }
                State::Opening(opening) => Some(match opening.await {
                    Ok((ends, text)) => {
                        tracing::debug!("the link to the server is open again");
                        self.state = State::Up(ends);
                        self.lost = None;
                        self.backoff.reset();
                        Change::Text(text)
                    }
                    Err(error) => self.lost(error),
                }),
                State::Ended => std::future::pending().await,
            };
            if let Some(change) = change {
                return change;
            }
        }
    }

    fn lost(&mut self, error: LinkError) -> Change {
        self.outgoing.clear();
        let since = *self.lost.get_or_insert_with(Instant::now);
        // The server may not have noticed yet that the last link is gone.
        let own_ghost = error.is_name_taken() && since.elapsed() < NAME_TAKEN_GRACE;
        if error.is_final() && !own_ghost {
            self.state = State::Ended;
            return Change::Ended(error);
        }
        tracing::debug!(%error, "the link to the server is lost");
        let (attempt, delay) = self.backoff.next();
        self.state = State::Waiting(Instant::now() + delay);
        Change::Reconnecting { attempt, delay }
    }

    /// Says goodbye and waits until the link has ended.
    pub(crate) async fn leave(self) {
        let State::Up(LinkEnds { outgoing, mut incoming }) = self.state else { return };
        let texts = self.outgoing.into_iter().chain([LEAVE.to_owned()]);
        let goodbye = async move {
            for text in texts {
                if outgoing.send(text).await.is_err() {
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

/// Sends what is to be sent until something comes.
async fn exchange(ends: &mut LinkEnds, outgoing: &mut VecDeque<String>) -> Incoming {
    loop {
        tokio::select! {
            incoming = ends.incoming.recv() => {
                let gone = || Incoming::End(LinkError::Unreachable("the link ended".to_owned()));
                return incoming.unwrap_or_else(gone);
            }
            Ok(permit) = ends.outgoing.reserve(), if !outgoing.is_empty() => {
                if let Some(text) = outgoing.pop_front() {
                    permit.send(text);
                }
            }
        }
    }
}
