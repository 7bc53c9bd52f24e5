//! What waits to be written to one client: bounded in bytes, so that a room never waits for anybody.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use grtc_protocol::{
    CloseCode,
    limits::{OUTBOX_BYTES, OUTBOX_FRAME_BYTES},
};

use super::{Text, notice::Frame, room::Member};

/// The two ends' common handle: rooms push, the connection's task takes.
#[derive(Clone, Default)]
pub(crate) struct Outbox(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    frames: VecDeque<Text>,
    /// What was pushed counts as so many bytes; what is replayed does not count.
    bytes: usize,
    closed: Option<CloseCode>,
    waker: Option<Waker>,
}

/// What the connection's task is to do next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Write these, in this order.
    Write(VecDeque<Text>),
    /// End the connection with this code.
    Close(CloseCode),
}

impl Outbox {
    /// Puts a frame at the end. A client whose frames don't fit is too slow: its outbox is emptied and closed with 4008.
    pub(crate) fn push(&self, frame: Text) {
        if let Some(waker) = self.put(frame) {
            waker.wake();
        }
    }

    /// The same, but for the task that waits for it: it is to be woken.
    fn put(&self, frame: Text) -> Option<Waker> {
        let mut queue = self.lock();
        if queue.closed.is_some() {
            return None;
        }
        let bytes = queue.bytes + frame.len() + OUTBOX_FRAME_BYTES;
        if bytes > OUTBOX_BYTES {
            queue.close(CloseCode::TooSlow);
        } else {
            queue.bytes = bytes;
            queue.frames.push_back(frame);
        }
        queue.waker.take()
    }

    /// Puts a frame at the end that was sent before this client's time. They are as many as are kept, and don't make it slow.
    pub(crate) fn replay(&self, frame: Text) {
        let mut queue = self.lock();
        if queue.closed.is_none() {
            queue.frames.push_back(frame);
            wake(queue);
        }
    }

    /// Ends the connection from outside. The first code counts; what waits is still written.
    pub(crate) fn close(&self, code: CloseCode) {
        let mut queue = self.lock();
        if queue.closed.is_none() {
            queue.close(code);
            wake(queue);
        }
    }

    /// Ready when there is something to do. One task may wait at a time.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Next> {
        let mut queue = self.lock();
        if let Some(code) = queue.closed {
            return Poll::Ready(Next::Close(code));
        }
        if queue.frames.is_empty() {
            register(&mut queue.waker, cx);
            return Poll::Pending;
        }
        queue.bytes = 0;
        Poll::Ready(Next::Write(std::mem::take(&mut queue.frames)))
    }

    /// Bytes that wait to be written.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.lock().bytes
    }

    /// The same with what was sent before this client's time.
    pub(crate) fn queued(&self) -> usize {
        self.lock().frames.iter().map(|frame| frame.len()).sum()
    }

    /// All that waits, for the end of the connection.
    pub(crate) fn take(&self) -> VecDeque<Text> {
        std::mem::take(&mut self.lock().frames)
    }

    /// Ready once the outbox is closed, whatever waits in it.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<CloseCode> {
        let mut queue = self.lock();
        match queue.closed {
            Some(code) => Poll::Ready(code),
            None => {
                register(&mut queue.waker, cx);
                Poll::Pending
            }
        }
    }

    /// A panic can't happen while the lock is held, and if it did the queue would still be whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member for Outbox {
    fn deliver(&self, frame: &Frame<'_>) {
        if let Some(waker) = self.put(frame.text()) {
            frame.wake(waker);
        }
    }

    fn replay(&self, text: Text) {
        Self::replay(self, text);
    }

    fn queued(&self) -> usize {
        Self::queued(self)
    }

    fn close(&self, code: CloseCode) {
        Self::close(self, code);
    }
}

impl Queue {
    fn close(&mut self, code: CloseCode) {
        self.closed = Some(code);
        if code == CloseCode::TooSlow {
            self.frames = VecDeque::new();
        }
    }
}

fn register(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *waker = Some(cx.waker().clone()),
    }
}

/// Wakes outside of the lock: the woken task takes it first thing.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn next(outbox: &Outbox) -> Next {
        poll_fn(|cx| outbox.poll_next(cx)).await
    }

    #[tokio::test]
    async fn hands_over_all_that_waits_at_once_and_in_order() {
        let outbox = Outbox::default();
        let waiting = tokio::spawn({
            let outbox = outbox.clone();
            async move { next(&outbox).await }
        });
        tokio::task::yield_now().await;
        outbox.push("1".into());
        outbox.push("2".into());
        assert_eq!(waiting.await.unwrap(), Next::Write(VecDeque::from(["1".into(), "2".into()])));
    }

    /// So many small frames fit.
    const MANY: usize = OUTBOX_BYTES / (OUTBOX_FRAME_BYTES + 1);

    #[tokio::test]
    async fn small_frames_count_with_what_it_takes_to_keep_them() {
        let outbox = Outbox::default();
        for _ in 0..2 {
            (0..MANY).for_each(|_| outbox.push("x".into()));
            assert!(matches!(next(&outbox).await, Next::Write(frames) if frames.len() == MANY));
        }
        (0..=MANY).for_each(|_| outbox.push("x".into()));
        assert_eq!(next(&outbox).await, Next::Close(CloseCode::TooSlow));
    }

    #[tokio::test]
    async fn what_is_replayed_does_not_make_it_slow() {
        let outbox = Outbox::default();
        (0..2 * MANY).for_each(|_| outbox.replay("x".into()));
        (0..MANY).for_each(|_| outbox.push("y".into()));
        assert!(matches!(next(&outbox).await, Next::Write(frames) if frames.len() == 3 * MANY));
        (0..=MANY).for_each(|_| outbox.push("y".into()));
        assert_eq!(next(&outbox).await, Next::Close(CloseCode::TooSlow));
    }

    #[tokio::test]
    async fn too_many_bytes_close_it_as_too_slow_and_the_first_code_stays() {
        let outbox = Outbox::default();
        let frame = Text::from("x".repeat(OUTBOX_BYTES / 16));
        for _ in 0..17 {
            outbox.push(frame.clone());
        }
        outbox.close(CloseCode::GoingAway);
        assert_eq!(next(&outbox).await, Next::Close(CloseCode::TooSlow));
    }
}
