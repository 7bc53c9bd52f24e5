//! Somebody who comes back.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    door::Door,
    frame,
    socket::{Socket, source},
};

/// Bytes that a client reads at once at most.
pub(super) const BUFFER: usize = 4 * 1024;
const WORKERS: usize = 64;
/// The wait before a try is a random time below this, then below twice as much each time, up to the last: docs/PROTOCOL.md, section 6.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(30);
/// A server that still has the old sockets may have no room for as many new ones: who is refused tries so often.
const TRIES: u32 = 6;

/// Somebody who comes back.
pub(super) struct Client {
    pub(super) number: usize,
    /// Where it joins, without what it comes back with.
    path: String,
    pub(super) socket: Option<Socket>,
    token: String,
    pub(super) received: u64,
    /// The number of the last broadcast that it saw.
    seq: u64,
    pub(super) others: usize,
    /// How often it did not come in.
    pub(super) tries: u32,
}

/// Has as many join as there are to be, so many in each room.
pub(super) async fn join_all(door: &Door, clients: usize, room_peers: usize) -> anyhow::Result<Vec<Client>> {
    let mut tasks = JoinSet::new();
    for worker in 0..WORKERS {
        let door = door.clone();
        tasks.spawn(async move {
            let mut joined = Vec::new();
            for number in (worker..clients).step_by(WORKERS) {
                let path = format!("/ws/{}?peer_id=p{number}", name(number / room_peers));
                let others = room_peers.min(clients - number / room_peers * room_peers) - 1;
                let mut client =
                    Client { number, path, socket: None, token: String::new(), received: 0, seq: 0, others, tries: 0 };
                client.open(&door, "&resume=").await.with_context(|| format!("client {number}"))?;
                joined.push(client);
            }
            anyhow::Ok(joined)
        });
    }
    let mut all = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        all.extend(joined.context("the load has a bug")??);
    }
    Ok(all)
}

/// A random time to wait before the next try, after so many that failed.
pub(super) fn jitter(tries: u32) -> Duration {
    (FIRST_WAIT * (1 << tries.min(16))).min(LAST_WAIT).mul_f64(fastrand::f64())
}

impl Client {
    /// What it comes back with.
    pub(super) fn ticket(&self) -> String {
        format!("&resume={}&received={}", self.token, self.received)
    }

    /// Joins, and gives the `room_state`.
    pub(super) async fn open(&mut self, door: &Door, resume: &str) -> anyhow::Result<Value> {
        let path = format!("{}{resume}", self.path);
        let mut socket = Socket::open(door, source(self.number), &path, BUFFER).await?;
        let state: Value = serde_json::from_slice(socket.next().await.context("no room_state")?)?;
        let token = state["resume_token"].as_str();
        self.token = token.with_context(|| format!("a room_state without a token: {state}"))?.to_owned();
        (self.socket, self.received) = (Some(socket), 0);
        Ok(state)
    }

    /// Comes back to all that it missed.
    pub(super) async fn come_back(mut self, door: Door, missed: usize) -> anyhow::Result<Self> {
        let resume = self.ticket();
        let state = loop {
            match self.open(&door, &resume).await {
                Ok(state) => break state,
                Err(error) if self.tries >= TRIES => {
                    return Err(error.context(format!("client {} is not back", self.number)));
                }
                Err(_) => sleep(jitter(self.tries)).await,
            }
            self.tries += 1;
        };
        let others = state["peers"].as_array().map_or(0, Vec::len);
        ensure!(
            state["recovered"] == true && others == self.others,
            "client {} is back from {resume} to {state} after {} refusals",
            self.number,
            self.tries
        );
        let Some(socket) = &mut self.socket else { return Ok(self) };
        let mut broadcasts = 0;
        while broadcasts < missed {
            let message = socket.next().await.with_context(|| format!("client {}", self.number))?;
            self.received += 1;
            if frame::is(message, "broadcast_message")? {
                let message: Value = serde_json::from_slice(message)?;
                ensure!(message["seq"] == self.seq + 1, "after broadcast {} came {message}", self.seq);
                self.seq += 1;
                broadcasts += 1;
            }
        }
        Ok(self)
    }
}

/// The name of a room.
pub(super) fn name(room: usize) -> String {
    format!("resume-{room}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_last() {
        for (tries, most) in [(0, 500), (1, 1_000), (5, 16_000), (6, 30_000), (40, 30_000)] {
            let longest = (0..2_000).map(|_| jitter(tries)).max().unwrap_or_default();
            let most = Duration::from_millis(most);
            assert!(longest <= most && longest > most * 9 / 10, "{longest:?} of {most:?}");
        }
    }
}
