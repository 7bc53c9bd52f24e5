//! Lines on their way to stderr. Who logs neither waits for its reader nor fails with it: one thread writes, what does not
//! fit into the queue is counted, and the count is logged once there is room.
//!
//! (tracing-appender's writer does the same, but says on stderr itself, waiting, when stderr does not take the last lines.)

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Condvar, Mutex, MutexGuard, Once, PoisonError},
    time::Duration,
};

use tracing::warn;

/// Bytes that may wait for stderr.
const QUEUE_BYTES: usize = 256 * 1024;

/// The process's own queue: there is one stderr.
pub(super) fn stderr() -> &'static LogQueue {
    static QUEUE: LogQueue = LogQueue::new();
    static STARTED: Once = Once::new();
    STARTED.call_once(|| QUEUE.start(io::stderr()));
    &QUEUE
}

pub(super) struct LogQueue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// A line was taken out and is being written.
    writing: bool,
    /// Lines that did not fit, or could not be written.
    lost: u64,
}

impl LogQueue {
    const fn new() -> Self {
        let state = State { lines: VecDeque::new(), bytes: 0, writing: false, lost: 0 };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Writes the lines to `out` from now on, in a thread of its own.
    pub(super) fn start(&'static self, out: impl Write + Send + 'static) {
        // Without the thread the queue fills, and nothing is logged: no reason not to serve.
        let _ = std::thread::Builder::new().name("log".to_owned()).spawn(move || self.write(out));
    }

    /// Puts a line at the end, or counts it as lost.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.bytes + line.len() > QUEUE_BYTES {
            state.lost += 1;
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(line.to_vec());
        self.changed.notify_all();
    }

    /// Waits until all is written, for so long at most.
    pub(super) fn flush(&self, within: Duration) {
        let busy = |state: &mut State| state.writing || !state.lines.is_empty();
        drop(self.changed.wait_timeout_while(self.lock(), within, busy));
    }

    fn write(&self, mut out: impl Write) {
        let mut works = true;
        loop {
            let mut state = self.lock();
            state.writing = false;
            self.changed.notify_all();
            if works && state.lines.is_empty() && state.lost > 0 {
                let lost = std::mem::take(&mut state.lost);
                drop(state);
                warn!(log.lost = lost, "lines of the log were lost: stderr was not read as fast as they came");
                continue;
            }
            let waiting = self.changed.wait_while(state, |state| state.lines.is_empty());
            let mut state = waiting.unwrap_or_else(PoisonError::into_inner);
            let Some(line) = state.lines.pop_front() else { continue };
            state.bytes -= line.len();
            state.writing = true;
            drop(state);
            works = out.write_all(&line).and_then(|()| out.flush()).is_ok();
            if !works {
                self.lock().lost += 1;
            }
        }
    }

    /// A panic can't happen while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the log's formatter writes into: one event at a time.
pub(super) struct Line(pub(super) &'static LogQueue);

impl Write for Line {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.push(event);
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// A stderr that takes a line whenever the test says so.
    struct Gate(Receiver<io::Result<()>>, SyncSender<Vec<u8>>);

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.recv().unwrap_or(Ok(()))?;
            let _ = self.1.send(line.to_vec());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn queue() -> (&'static LogQueue, SyncSender<io::Result<()>>, Receiver<Vec<u8>>) {
        let queue: &'static LogQueue = Box::leak(Box::new(LogQueue::new()));
        let ((open, gate), (sender, written)) = (sync_channel(1_000), sync_channel(1_000));
        queue.start(Gate(gate, sender));
        (queue, open, written)
    }

    #[test]
    fn who_logs_does_not_wait_for_a_reader_that_does_not_read() {
        let (queue, open, written) = queue();
        let line = vec![b'x'; 64 * 1024];
        for _ in 0..100 {
            queue.push(&line);
        }
        queue.flush(Duration::from_millis(10));
        let kept = QUEUE_BYTES / line.len();
        assert!(queue.lock().lost >= 100 - kept as u64 - 1 && queue.lock().bytes <= QUEUE_BYTES);
        drop(open);
        for _ in 0..kept {
            assert_eq!(written.recv().unwrap().len(), line.len());
        }
    }

    #[test]
    fn a_line_that_can_not_be_written_is_no_end() {
        let (queue, open, written) = queue();
        queue.push(b"1");
        open.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
        queue.push(b"2");
        open.send(Ok(())).unwrap();
        assert_eq!(written.recv().unwrap(), b"2");
        drop(open);
        queue.flush(Duration::from_secs(10));
        assert_eq!(queue.lock().bytes, 0);
    }
}
