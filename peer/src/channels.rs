//! The open channels of a peer, to send on from anywhere.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::future::join_all;
use grtc_protocol::PeerId;

use crate::{
    channel::{Channel, Refusal},
    event::Payload,
    limits::{FLUSH_CHECK, MESSAGE_BYTES},
};

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no open channel to this peer.
    #[error("there is no open channel to {0}")]
    NotConnected(PeerId),
    /// The channel closed while the message was on its way.
    #[error("the channel to {0} closed")]
    Closed(PeerId),
    /// The message is longer than [`MESSAGE_BYTES`].
    #[error("a message has at most {MESSAGE_BYTES} bytes, this one has {0}")]
    TooLong(usize),
    /// The message is longer than this peer takes.
    #[error("{peer_id} takes messages of at most {limit} bytes, this one has {length}")]
    TooLongFor {
        /// Who.
        peer_id: PeerId,
        /// What it takes, in bytes.
        limit: usize,
        /// What the message has.
        length: usize,
    },
}

/// What became of a message to everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentToAll {
    /// To how many it is on its way.
    pub sent: usize,
    /// Why it is not on its way to the others that there was an open channel to.
    pub not_sent: Vec<SendError>,
}

/// The channels, by peer. The lock is held for a look-up only, never over an await.
#[derive(Default)]
pub(crate) struct Channels(Mutex<BTreeMap<PeerId, Channel>>);

impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.peers()).finish()
    }
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerId, Channel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, peer: PeerId, channel: Channel) {
        self.lock().insert(peer, channel);
    }

    pub(crate) fn remove(&self, peer: &PeerId) {
        self.lock().remove(peer);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.lock().keys().cloned().collect()
    }

    fn get(&self, peer: &PeerId) -> Result<Channel, SendError> {
        self.lock().get(peer).cloned().ok_or_else(|| SendError::NotConnected(peer.clone()))
    }

    pub(crate) async fn send(&self, peer: &PeerId, payload: &Payload) -> Result<(), SendError> {
        checked(payload)?;
        sent(peer, &self.get(peer)?, payload).await
    }

    pub(crate) async fn send_all(&self, payload: &Payload) -> Result<SentToAll, SendError> {
        checked(payload)?;
        let channels: Vec<_> = self.lock().iter().map(|(peer, channel)| (peer.clone(), channel.clone())).collect();
        let all = join_all(channels.iter().map(|(peer, channel)| sent(peer, channel, payload))).await;
        let not_sent: Vec<_> = all.into_iter().filter_map(Result::err).collect();
        Ok(SentToAll { sent: channels.len() - not_sent.len(), not_sent })
    }

    /// Waits until the peer has acknowledged everything. What `mark` gave before the look that found it so.
    pub(crate) async fn flush<T>(&self, peer: &PeerId, mark: impl Fn() -> T) -> Result<T, SendError> {
        let channel = self.get(peer)?;
        loop {
            let marked = mark();
            match channel.outstanding().await {
                Ok(0) => return Ok(marked),
                Ok(_) => tokio::time::sleep(FLUSH_CHECK).await,
                Err(_) => return Err(SendError::Closed(peer.clone())),
            }
        }
    }
}

async fn sent(peer: &PeerId, channel: &Channel, payload: &Payload) -> Result<(), SendError> {
    channel.send(payload).await.map_err(|refusal| match refusal {
        Refusal::Closed => SendError::Closed(peer.clone()),
        Refusal::TooLong(limit) => SendError::TooLongFor { peer_id: peer.clone(), limit, length: payload.len() },
    })
}

fn checked(payload: &Payload) -> Result<(), SendError> {
    match payload.len() {
        length if length > MESSAGE_BYTES => Err(SendError::TooLong(length)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn who_takes_shorter_messages_only_is_named_and_the_others_get_it() {
        let (channels, (big, mut to_big), (small, mut to_small)) =
            (Channels::default(), mpsc::channel(4), mpsc::channel(4));
        let [a, b] = ["big", "small"].map(|id| id.parse::<PeerId>().unwrap());
        channels.insert(a.clone(), Channel::Kept(big, MESSAGE_BYTES));
        channels.insert(b.clone(), Channel::Kept(small, 4));
        let refusal = SendError::TooLongFor { peer_id: b.clone(), limit: 4, length: 5 };

        let sent = channels.send_all(&"hello".into()).await.unwrap();
        assert_eq!(sent, SentToAll { sent: 1, not_sent: vec![refusal.clone()] });
        assert_eq!(channels.send(&b, &"hello".into()).await, Err(refusal));
        assert_eq!(channels.send_all(&"next".into()).await, Ok(SentToAll { sent: 2, not_sent: vec![] }));

        let next = Payload::from("next");
        assert_eq!((to_big.recv().await, to_big.recv().await), (Some("hello".into()), Some(next.clone())));
        assert_eq!(to_small.recv().await, Some(next));
        let too_long = Payload::from("x".repeat(MESSAGE_BYTES + 1));
        assert_eq!(channels.send_all(&too_long).await, Err(SendError::TooLong(MESSAGE_BYTES + 1)));
    }
}
