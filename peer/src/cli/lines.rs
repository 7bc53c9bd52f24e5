//! Lines of stdin for everybody.

use std::{io::BufRead, sync::Arc};

use grtc_peer::{Peer, SendError};
use tokio::sync::{Notify, mpsc};

/// Lines that were read and not sent yet.
const LINES: usize = 16;

/// Reads stdin on a thread of its own, which nobody waits for. The end of the lines is the end of stdin.
pub(super) fn read() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut line = Vec::new();
        while stdin.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            if sender.blocking_send(text.trim_end_matches(['\r', '\n']).to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    lines
}

/// Sends each line to everybody. A line waits until somebody is connected: `somebody` is notified at each connection.
pub(super) async fn send(peer: Arc<Peer>, mut lines: mpsc::Receiver<String>, somebody: Arc<Notify>) {
    while let Some(line) = lines.recv().await {
        loop {
            let notified = somebody.notified();
            match peer.send_all(line.as_str()).await {
                Ok(0) => notified.await,
                Ok(_) => break,
                Err(error @ SendError::TooLong(_)) => {
                    eprintln!("* not sent: {error}");
                    break;
                }
                Err(_) => break,
            }
        }
    }
}
