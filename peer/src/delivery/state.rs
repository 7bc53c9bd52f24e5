//! The session of a pair with its two streams of messages: one each way.

use std::collections::VecDeque;

use grtc_protocol::streams::{Content, Messages, Output, Read, Session, SessionId, StreamId, Wants, WriteError, code};
use tokio::sync::oneshot;

use crate::event::Payload;

/// The label of the streams that messages go over.
const CHAT: &str = "chat";
/// Why a stream is refused.
const NO_SUCH_LABEL: u64 = 2;
/// Bytes that are read of a stream at a time.
const READ_BYTES: usize = 64 * 1024;

/// Where a message ends in what was written. It outlives the stream that it was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Counts the streams.
    stream: u64,
    position: u64,
}

/// What others have to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Both sides know what the other one has: messages go.
    Linked {
        /// The other program is not the one that it was: what it had not taken is lost.
        restarted: bool,
    },
    /// They can't go on, since a rule was broken: what was not acknowledged is lost.
    Ended,
}

pub(super) struct State {
    /// Names the sessions.
    rng: fastrand::Rng,
    session: Session,
    /// The connections that there were.
    links: u64,
    /// The last of them lives.
    up: bool,
    outgoing: Option<StreamId>,
    /// What was written to that stream, and what of it the other program has.
    written: Place,
    acknowledged: u64,
    /// The same of the one before, at its end.
    before: u64,
    /// Who waits until the other program has all before a position, in the order of the positions.
    waiters: VecDeque<(u64, oneshot::Sender<()>)>,
    /// Something was lost that nobody waited for yet.
    lost_unseen: bool,
    writable: bool,
    /// The other side's hello has come, and it may not have this one's yet.
    linking: Option<bool>,
    incoming: Option<StreamId>,
    messages: Messages,
    /// The pair is.
    over: bool,
}

impl State {
    pub(super) fn new(mut rng: fastrand::Rng) -> Self {
        Self {
            session: Session::new(name(&mut rng)),
            rng,
            links: 0,
            up: false,
            outgoing: None,
            written: Place { stream: 0, position: 0 },
            acknowledged: 0,
            before: 0,
            waiters: VecDeque::new(),
            lost_unseen: false,
            writable: false,
            linking: None,
            incoming: None,
            messages: Messages::default(),
            over: false,
        }
    }

    /// Writes a message.
    pub(super) fn write(&mut self, now: u64, bytes: &[u8]) -> Result<Place, WriteError> {
        if self.over {
            return Err(WriteError::Ended);
        }
        // Whoever waits for a write has a clock of its own.
        self.session.handle_timeout(now);
        let stream = self.outgoing()?;
        self.written.position = self.session.write(now, stream, bytes)?;
        Ok(self.written)
    }

    /// The stream that this side's messages go over.
    fn outgoing(&mut self) -> Result<StreamId, WriteError> {
        match self.outgoing {
            Some(stream) => Ok(stream),
            None => Ok(*self.outgoing.insert(self.session.open(CHAT)?)),
        }
    }

    /// All that is written; `None` if some of what was is lost, and nobody has heard of it.
    pub(super) fn mark(&mut self) -> Option<Place> {
        (!std::mem::take(&mut self.lost_unseen)).then_some(self.written)
    }

    /// Hears when the other program has all before this place, and ends when it will not.
    pub(super) fn wait(&mut self, place: Place) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let acknowledged = match self.written.stream - place.stream {
            0 => self.acknowledged,
            1 => self.before,
            _ => 0,
        };
        if place.position <= acknowledged {
            // The receiver is still here.
            let _ = sender.send(());
        } else if place.stream == self.written.stream && !self.is_over() {
            let order = self.waiters.partition_point(|(at, _)| *at <= place.position);
            self.waiters.insert(order, (place.position, sender));
        }
        receiver
    }

    /// What the connection should be asked for.
    pub(super) fn wants(&self) -> Wants {
        self.session.wants()
    }

    /// A write that was refused may be tried again. Whether that is new.
    pub(super) fn has_room_again(&mut self) -> bool {
        std::mem::take(&mut self.writable)
    }

    pub(super) fn connected(&mut self) -> u64 {
        self.session.connected();
        self.linking = None;
        (self.links, self.up) = (self.links + 1, true);
        self.links
    }

    pub(super) fn disconnected(&mut self, link: u64) {
        if self.is_current(link) {
            self.session.disconnected();
            self.up = false;
            if self.over {
                self.waiters.clear();
            }
        }
    }

    fn is_current(&self, link: u64) -> bool {
        self.up && self.links == link
    }

    /// Takes a message of the connection, unless another one has taken its place.
    pub(super) fn receive(&mut self, link: u64, message: &[u8]) -> Option<News> {
        if !self.is_current(link) {
            return None;
        }
        self.session.receive(message);
        let mut news = None;
        while let Some(output) = self.session.poll_output() {
            news = self.output(output).or(news);
        }
        let linked = self.linking.take_if(|_| self.session.has_met());
        news.or(linked.map(|restarted| News::Linked { restarted }))
    }

    fn output(&mut self, output: Output) -> Option<News> {
        match output {
            Output::Linked { restarted } => {
                // What either side sends after the other's hello says that it has that; the first write has the error.
                self.linking = Some(restarted);
                let _ = self.outgoing();
            }
            Output::Ended { code, reason } => {
                tracing::debug!(code, %reason, "the streams of a pair have ended");
                // The next connection begins with another one: to the other side, this program was restarted.
                self.lost();
                self.end_incoming();
                (self.session, self.up) = (Session::new(name(&mut self.rng)), false);
                return Some(News::Ended);
            }
            Output::Opened { stream, label } if label == CHAT && self.incoming.is_none() => {
                self.incoming = Some(stream);
            }
            Output::Opened { stream, .. } => {
                let reason = "nobody reads such streams here";
                self.session.stop(stream, NO_SUCH_LABEL, reason);
                self.session.reset(stream, NO_SUCH_LABEL, reason);
            }
            Output::Acknowledged { stream, position } if self.outgoing == Some(stream) => {
                self.acknowledged = position;
                while self.waiters.front().is_some_and(|(at, _)| *at <= position) {
                    if let Some((_, waiter)) = self.waiters.pop_front() {
                        // Whoever waited may have gone.
                        let _ = waiter.send(());
                    }
                }
            }
            Output::Writable { .. } => self.writable = true,
            Output::Reset { stream, code: code::RESTARTED, .. } if self.outgoing == Some(stream) => self.lost(),
            Output::Stopped { stream, .. } if self.outgoing == Some(stream) => self.lost(),
            Output::Reset { stream, .. } if self.incoming == Some(stream) => self.end_incoming(),
            _ => {}
        }
        None
    }

    /// What the other program has not taken, it will not.
    fn lost(&mut self) {
        self.lost_unseen |= self.acknowledged < self.written.position && self.waiters.is_empty();
        self.outgoing = None;
        self.before = std::mem::take(&mut self.acknowledged);
        self.written = Place { stream: self.written.stream + 1, position: 0 };
        self.waiters.clear();
        self.writable = true;
    }

    fn end_incoming(&mut self) {
        self.incoming = None;
        self.messages = Messages::default();
    }

    /// The next message for the program, which has it then.
    pub(super) fn next_message(&mut self, now: u64) -> Option<Payload> {
        let stream = self.incoming?;
        loop {
            match self.messages.take() {
                Ok(Some(content)) => return Some(content.into()),
                Ok(None) => {}
                Err(error) => {
                    self.session.stop(stream, code::MALFORMED, &error.to_string());
                    self.end_incoming();
                    return None;
                }
            }
            match self.session.read(now, stream, READ_BYTES)? {
                Read::Bytes(bytes) => self.messages.push(&bytes),
                Read::End => {
                    self.end_incoming();
                    return None;
                }
            }
        }
    }

    /// The next frames for this connection; `None` once it is not the pair's any more.
    pub(super) fn transmit(&mut self, link: u64) -> Option<Option<Vec<u8>>> {
        self.is_current(link).then(|| self.session.poll_transmit())
    }

    /// There is something to transmit, and a connection for it.
    pub(super) fn is_due(&self) -> bool {
        self.up && self.wants() != Wants::Nothing
    }

    /// Nothing goes and nothing comes any more.
    pub(super) fn is_over(&self) -> bool {
        self.over && !self.up
    }

    /// Nothing more is written. The connection, while it lasts, still takes what was, and brings what comes: that the other
    /// program has something among it.
    pub(super) fn close(&mut self) {
        (self.over, self.writable) = (true, true);
        if !self.up {
            self.waiters.clear();
        }
    }
}

/// Never all zeros.
fn name(rng: &mut fastrand::Rng) -> SessionId {
    rng.u64(1..).to_be_bytes()
}

impl From<Content> for Payload {
    fn from(content: Content) -> Self {
        match content {
            Content::Text(text) => Self::Text(text),
            Content::Binary(bytes) => Self::Binary(bytes.into()),
        }
    }
}
