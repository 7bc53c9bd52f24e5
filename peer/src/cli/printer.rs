//! Prints on a thread of its own: whoever does not read the output holds up neither a signal nor a time limit.

use std::{
    io::{self, BufWriter, Write},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use crate::stderr;

/// Lines that wait to be printed.
const LINES: usize = 64;
/// How long the next line waits for stderr.
const STEP: Duration = Duration::from_millis(100);

/// A line, and where it goes.
#[derive(Debug)]
pub(super) enum Line {
    Out(String),
    Err(String),
    /// None: all that came before has been written.
    Flush(oneshot::Sender<()>),
}

/// The lines that wait, in one order for both streams.
#[derive(Debug)]
pub(super) struct Printer {
    lines: mpsc::Sender<Line>,
    /// What stdout was closed with.
    failure: Arc<OnceLock<io::ErrorKind>>,
}

impl Printer {
    pub(super) fn new() -> Self {
        let (lines, queue) = mpsc::channel(LINES);
        let failure = Arc::<OnceLock<_>>::default();
        let noted = Arc::clone(&failure);
        thread::spawn(move || {
            if let Err(error) = print(queue) {
                let _ = noted.set(error.kind());
            }
        });
        Self { lines, failure }
    }

    /// Waits until there is room for a line.
    ///
    /// # Errors
    /// When an earlier line could not be written.
    pub(super) async fn line(&self, line: Line) -> io::Result<()> {
        self.lines.send(line).await.map_err(|_| self.failure())
    }

    /// Waits until all lines are written.
    ///
    /// # Errors
    /// When one could not be.
    pub(super) async fn flush(&self) -> io::Result<()> {
        let (sender, flushed) = oneshot::channel();
        self.line(Line::Flush(sender)).await?;
        flushed.await.map_err(|_| self.failure())
    }

    /// Waits until nothing can be written any more, and says why.
    pub(super) async fn failed(&self) -> io::Error {
        self.lines.closed().await;
        self.failure()
    }

    fn failure(&self) -> io::Error {
        self.failure.get().copied().unwrap_or(io::ErrorKind::BrokenPipe).into()
    }
}

/// Writes what waits together, then flushes.
fn print(mut queue: mpsc::Receiver<Line>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut waiting, mut in_step) = (Vec::new(), true);
    while queue.blocking_recv_many(&mut waiting, LINES) > 0 {
        for line in waiting.drain(..) {
            match line {
                Line::Out(line) => writeln!(out, "{line}")?,
                Line::Err(line) => {
                    out.flush()?;
                    stderr::line(&line);
                    // In one order for who reads both; who does not read this one is not waited for again.
                    in_step = in_step && stderr::flush(STEP);
                }
                Line::Flush(flushed) => {
                    out.flush()?;
                    // Whoever waited may have given up.
                    let _ = flushed.send(());
                }
            }
        }
        out.flush()?;
    }
    Ok(())
}
