//! What is under way on one HTTP/2 connection: its clock is that of HTTP/1.1, which a connection of streams would not have.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::{limits::HEADER_TIMEOUT, write_deadline::ANSWER_STALL};

/// Bytes of an answer that are handed over at once: a frame. What waits for a client stays counted in the body.
const PIECE: usize = 16 * 1024;

/// The streams of one connection.
pub(super) struct Streams {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    /// Streams under way, each with the moment since when a piece of its answer waits to be taken.
    under_way: HashMap<u64, Option<Instant>>,
    next: u64,
    idle_since: Instant,
}

/// One stream, from its request until the end of its answer.
pub(super) struct Stream {
    id: u64,
    streams: Arc<Streams>,
}

impl Streams {
    pub(super) fn new() -> Self {
        let state = State { under_way: HashMap::new(), next: 0, idle_since: Instant::now() };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> Stream {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.under_way.insert(id, None);
        Stream { id, streams: self.clone() }
    }

    /// Resolves when nothing has been under way for as long as a client may take for a request.
    pub(super) async fn idle(&self) {
        loop {
            let due = {
                let state = self.lock();
                let since = if state.under_way.is_empty() { state.idle_since } else { Instant::now() };
                since + HEADER_TIMEOUT
            };
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    /// Resolves when a client has taken nothing of an answer for [`ANSWER_STALL`].
    pub(super) async fn stalled(&self) {
        loop {
            let oldest = self.lock().under_way.values().flatten().min().copied();
            let due = oldest.unwrap_or_else(Instant::now) + ANSWER_STALL;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    /// Resolves when nothing is under way.
    pub(super) async fn done(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().under_way.is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// A piece of the answer waits since then, or none does.
    fn waits(&self, since: Option<Instant>) {
        self.streams.lock().under_way.insert(self.id, since);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.streams.lock();
        state.under_way.remove(&self.id);
        state.idle_since = Instant::now();
        drop(state);
        self.streams.changed.notify_waiters();
    }
}

/// An answer's body in pieces, so that no more of it is handed over than its client has room for.
pub(super) struct Pieces<B> {
    body: Pin<Box<B>>,
    rest: Bytes,
    stream: Stream,
}

impl<B> Pieces<B> {
    pub(super) fn new(body: B, stream: Stream) -> Self {
        Self { body: Box::pin(body), rest: Bytes::new(), stream }
    }
}

impl<B: Body<Data = Bytes>> Body for Pieces<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.stream.waits(None);
        if self.rest.is_empty() {
            match ready!(self.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.stream.waits(Some(Instant::now()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::{BodyExt, Full};
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn idle_is_who_has_nothing_under_way() {
        let (streams, since) = (Arc::new(Streams::new()), Instant::now());
        let stream = streams.begin();
        let ending = async {
            sleep(Duration::from_secs(100)).await;
            drop(stream);
        };
        tokio::join!(streams.idle(), ending, streams.done());
        assert_eq!(since.elapsed().as_secs(), 100 + HEADER_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_is_seen_however_busy_the_others_are() {
        let streams = Arc::new(Streams::new());
        let mut slow = Pieces::new(Full::new(Bytes::from(vec![0; 3 * PIECE])), streams.begin());
        let mut busy = Pieces::new(Full::new(Bytes::from(vec![0; 100 * PIECE])), streams.begin());
        let since = Instant::now();
        assert_eq!(slow.frame().await.unwrap().unwrap().data_ref().map(Bytes::len), Some(PIECE));
        let reading = async {
            while busy.frame().await.is_some() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = streams.stalled() => {}
            () = reading => panic!("it was not seen"),
        }
        assert_eq!(since.elapsed().as_secs(), ANSWER_STALL.as_secs());
    }

    #[tokio::test]
    async fn a_body_comes_whole_and_in_pieces() {
        let streams = Arc::new(Streams::new());
        let bytes: Vec<u8> = (0..PIECE * 2 + 5).map(|n| n as u8).collect();
        let mut body = Pieces::new(Full::new(Bytes::from(bytes.clone())), streams.begin());
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        let (mut come, mut pieces) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            come.extend(frame.unwrap().into_data().unwrap());
            assert_eq!(body.size_hint().exact(), Some((bytes.len() - come.len()) as u64));
            pieces += 1;
        }
        assert_eq!((come, pieces, body.is_end_stream()), (bytes, 3, true));
        drop(body);
        streams.done().await;
    }
}
