//! Lines of stdin for everybody.

use std::{
    io::{self, BufRead, Read},
    sync::Arc,
};

use grtc_peer::{MESSAGE_BYTES, Peer, SendError};
use tokio::sync::{Notify, mpsc};

/// Lines that were read and not sent yet.
const LINES: usize = 16;

/// A line was longer than a message can be.
pub(super) struct TooLong;

/// Reads stdin on a thread of its own, which nobody waits for. The end of the lines is the end of stdin.
pub(super) fn read() -> mpsc::Receiver<Result<String, TooLong>> {
    let (sender, lines) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        while let Ok(Some(line)) = next(&mut stdin) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The next line without its end. Of one that is too long no more than a message is held.
fn next(input: &mut impl BufRead) -> io::Result<Option<Result<String, TooLong>>> {
    let mut line = Vec::new();
    // Room for the end of the line.
    let limit = MESSAGE_BYTES as u64 + 2;
    if input.take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() as u64 == limit && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        return Ok(Some(Err(TooLong)));
    }
    Ok(Some(Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())))
}

/// Sends each line to everybody. A line waits until somebody is connected: `somebody` is notified at each connection.
/// What can't be sent goes to `problems`, as a sentence.
pub(super) async fn send(
    peer: Arc<Peer>,
    mut lines: mpsc::Receiver<Result<String, TooLong>>,
    somebody: Arc<Notify>,
    problems: mpsc::Sender<String>,
) {
    while let Some(line) = lines.recv().await {
        let problem = match line {
            Ok(line) => deliver(&peer, &line, &somebody).await.err().map(|error| error.to_string()),
            Err(TooLong) => Some(format!("a message has at most {MESSAGE_BYTES} bytes, this line has more")),
        };
        if let Some(problem) = problem {
            // Nobody asks any more at the end.
            let _ = problems.send(problem).await;
        }
    }
}

async fn deliver(peer: &Peer, line: &str, somebody: &Notify) -> Result<(), SendError> {
    loop {
        let notified = somebody.notified();
        if peer.send_all(line).await? > 0 {
            return Ok(());
        }
        notified.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_bound_and_the_next_one_is_whole() {
        let long = "x".repeat(MESSAGE_BYTES + 3);
        let most = "y".repeat(MESSAGE_BYTES);
        let text = format!("a\r\n{long}\n{most}\r\n\nlast");
        let mut input = io::BufReader::new(text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next(&mut input).unwrap() {
            lines.push(line.ok());
        }
        assert_eq!(lines, [Some("a"), None, Some(&*most), Some(""), Some("last")].map(|line| line.map(str::to_owned)));
    }
}
