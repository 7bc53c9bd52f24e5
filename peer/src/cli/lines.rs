//! Lines of stdin for everybody.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead, Read},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use grtc_peer::{MESSAGE_BYTES, Peer, PeerId, SendError};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, timeout_at},
};

/// Lines that were read and not sent yet.
const LINES: usize = 16;
/// How long everybody waits for one who takes nothing.
const PATIENCE: Duration = Duration::from_secs(5);

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
/// What can't be sent goes to `problems`.
pub(super) async fn send(
    peer: Arc<Peer>,
    mut lines: mpsc::Receiver<Result<String, TooLong>>,
    somebody: Arc<Notify>,
    problems: mpsc::Sender<Problem>,
) {
    let mut sender = Sender { peer, problems, slow: BTreeMap::new() };
    while let Some(line) = lines.recv().await {
        match line {
            Ok(line) => loop {
                let notified = somebody.notified();
                if sender.send(&line).await {
                    break;
                }
                notified.await;
            },
            Err(TooLong) => {
                sender.tell(format!("a message has at most {MESSAGE_BYTES} bytes, this line has more")).await;
            }
        }
    }
}

/// Why a line was not sent.
pub(super) struct Problem {
    /// To whom, if it is one.
    pub(super) peer_id: Option<PeerId>,
    /// A sentence.
    pub(super) message: String,
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self { peer_id: None, message }
    }
}

struct Sender {
    peer: Arc<Peer>,
    problems: mpsc::Sender<Problem>,
    /// Peers that take nothing while others do, and how many lines each has missed.
    slow: BTreeMap<PeerId, usize>,
}

impl Sender {
    /// Sends a line to everybody who is connected. As long as nobody takes it, it waits; once somebody has it, the others
    /// have [`PATIENCE`], those that let an earlier line pass none.
    async fn send(&mut self, line: &str) -> bool {
        let mut waiting: BTreeSet<PeerId> = self.peer.connected().into_iter().collect();
        let peer = &self.peer;
        let send = |id: PeerId| async move { (peer.send(&id, line).await, id) };
        let mut sending: FuturesUnordered<_> = waiting.iter().cloned().map(send).collect();
        let (mut problems, mut taken) = (Vec::new(), None);
        while taken.is_none() || waiting.iter().any(|id| !self.slow.contains_key(id)) {
            let Some(Some((sent, id))) = within(taken, sending.next()).await else { break };
            waiting.remove(&id);
            match sent {
                Ok(()) => {
                    taken.get_or_insert_with(|| Instant::now() + PATIENCE);
                    if let Some(missed) = self.slow.remove(&id) {
                        problems.push(Problem::from(format!("{id} takes lines again, it has missed {missed}")));
                    }
                }
                Err(error @ SendError::TooLong(_)) => {
                    self.tell(error.to_string()).await;
                    return true;
                }
                // Those who take shorter messages only don't hold up the next line.
                Err(error @ SendError::TooLongFor { .. }) => {
                    taken.get_or_insert_with(|| Instant::now() + PATIENCE);
                    problems.push(Problem { peer_id: Some(id), message: error.to_string() });
                }
                // It is gone.
                Err(_) => {}
            }
        }
        drop(sending);
        for id in waiting {
            if !self.slow.contains_key(&id) {
                problems.push(format!("{id} takes nothing any more, the others go on without it").into());
            }
            *self.slow.entry(id).or_default() += 1;
        }
        for problem in problems {
            self.tell(problem).await;
        }
        taken.is_some()
    }

    async fn tell(&self, problem: impl Into<Problem>) {
        // Nobody asks any more at the end.
        let _ = self.problems.send(problem.into()).await;
    }
}

/// What comes before the deadline, if there is one.
async fn within<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => timeout_at(deadline, future).await.ok(),
        None => Some(future.await),
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
