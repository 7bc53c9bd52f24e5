//! Standard error, written by a thread of its own: whoever does not read it, or has closed it, holds up nobody and breaks
//! nothing. What does not fit is dropped, and counted.

use std::{
    io::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

/// Lines that wait to be written.
const LINES: usize = 256;

static QUEUE: OnceLock<SyncSender<Entry>> = OnceLock::new();
static DROPPED: AtomicUsize = AtomicUsize::new(0);

enum Entry {
    Text(Vec<u8>),
    /// All that came before has been written.
    Mark(SyncSender<()>),
}

fn queue() -> &'static SyncSender<Entry> {
    QUEUE.get_or_init(|| {
        let (sender, entries) = sync_channel(LINES);
        thread::spawn(move || write_all(&entries));
        sender
    })
}

fn write_all(entries: &Receiver<Entry>) {
    let mut stderr = io::stderr();
    while let Ok(entry) = entries.recv() {
        // Nobody to tell when stderr is closed.
        let _ = match entry {
            Entry::Text(text) => stderr.write_all(&text),
            Entry::Mark(mark) => {
                let _ = mark.send(());
                Ok(())
            }
        };
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = writeln!(stderr, "* {dropped} lines were dropped here: nobody read them in time");
        }
    }
}

/// Writes a line some time.
pub(crate) fn line(text: &str) {
    put(format!("{text}\n").into_bytes());
}

fn put(text: Vec<u8>) {
    if let Err(TrySendError::Full(_)) = queue().try_send(Entry::Text(text)) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until all lines are written, but not for somebody who does not read them.
pub(crate) fn flush(patience: Duration) -> bool {
    let (mark, marked) = sync_channel(1);
    queue().try_send(Entry::Mark(mark)).is_ok() && marked.recv_timeout(patience).is_ok()
}

/// For the log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Writer;

impl Write for Writer {
    /// The log writes each line at once.
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        put(text.to_vec());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
