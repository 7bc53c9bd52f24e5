//! The open channels of a peer, to send on from anywhere.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::future::join_all;
use grtc_protocol::PeerId;

use crate::{
    channel::{Channel, NotDelivered, Refusal, Underway},
    event::Payload,
    limits::{MESSAGE_BYTES, UNKNOWN},
};

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no open channel to this peer.
    #[error("there is no open channel to {0}")]
    NotConnected(PeerId),
    /// The stay of the peer, its program or the channel ended while the message was on its way.
    #[error("the channel to {0} closed")]
    Closed(PeerId),
    /// For 120 s there was no word of whether the other program has the message. It may still get it.
    #[error("it is not known whether {0} has the message")]
    Unknown(PeerId),
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
    /// How many have it.
    pub sent: usize,
    /// Why the others have not that there was an open channel to.
    pub not_sent: Vec<SendError>,
}

/// A message that is on its way to a peer.
#[must_use = "whether the message arrives is not known without it"]
pub struct Sent {
    peer: PeerId,
    underway: Underway,
}

impl Sent {
    /// Waits until the other side has the message, and all that was sent to it before: its program, whatever connections
    /// break meanwhile; of a client without streams (the first version of this protocol), its network stack.
    ///
    /// # Errors
    /// [`SendError::Unknown`] after 120 s without a word of it; [`SendError::Closed`] when the peer is gone, or its program was
    /// restarted, or, of a client without streams, the connection broke.
    pub async fn delivered(self) -> Result<(), SendError> {
        self.underway.within(UNKNOWN).await.map_err(|not| not_delivered(self.peer, not))
    }
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sent").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// The channels, by peer. The lock is held for a look-up only, never over an await.
#[derive(Default)]
pub(crate) struct Channels(Mutex<BTreeMap<PeerId, Entry>>);

struct Entry {
    channel: Channel,
    /// Messages are taken now, and do not only wait for what may come.
    open: bool,
}

impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.peers()).finish()
    }
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, peer: PeerId, channel: Channel) {
        self.lock().insert(peer, Entry { channel, open: true });
    }

    /// No more is taken. What was handed over may still be acknowledged, or waits for a connection.
    pub(crate) fn suspend(&self, peer: &PeerId) {
        let mut channels = self.lock();
        channels.retain(|_, entry| entry.open || !entry.channel.is_over());
        if let Some(entry) = channels.get_mut(peer) {
            entry.open = false;
        }
    }

    pub(crate) fn remove(&self, peer: &PeerId) {
        self.lock().remove(peer);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.lock().iter().filter(|(_, entry)| entry.open).map(|(peer, _)| peer.clone()).collect()
    }

    fn get(&self, peer: &PeerId, open: bool) -> Result<Channel, SendError> {
        let channels = self.lock();
        let entry = channels.get(peer).filter(|entry| entry.open || !open);
        entry.map(|entry| entry.channel.clone()).ok_or_else(|| SendError::NotConnected(peer.clone()))
    }

    /// Hands a message over, as soon as there is room for it.
    pub(crate) async fn queue(&self, peer: &PeerId, payload: &Payload) -> Result<Sent, SendError> {
        checked(payload)?;
        queued(peer, &self.get(peer, true)?, payload).await
    }

    pub(crate) async fn send_all(&self, payload: &Payload) -> Result<SentToAll, SendError> {
        checked(payload)?;
        let channels: Vec<_> = {
            let channels = self.lock();
            let open = channels.iter().filter(|(_, entry)| entry.open);
            open.map(|(peer, entry)| (peer.clone(), entry.channel.clone())).collect()
        };
        let sent = channels.iter().map(async |(peer, channel)| queued(peer, channel, payload).await?.delivered().await);
        let not_sent: Vec<_> = join_all(sent).await.into_iter().filter_map(Result::err).collect();
        Ok(SentToAll { sent: channels.len() - not_sent.len(), not_sent })
    }

    /// Waits until the peer has everything. What `mark` gave before that was looked at.
    pub(crate) async fn flush<T>(&self, peer: &PeerId, mark: impl Fn() -> T) -> Result<T, SendError> {
        let channel = self.get(peer, false)?;
        let marked = mark();
        channel.mark().delivered().await.map_err(|not| not_delivered(peer.clone(), not))?;
        Ok(marked)
    }
}

async fn queued(peer: &PeerId, channel: &Channel, payload: &Payload) -> Result<Sent, SendError> {
    match channel.queue(payload).await {
        Ok(underway) => Ok(Sent { peer: peer.clone(), underway }),
        Err(Refusal::Closed) => Err(SendError::Closed(peer.clone())),
        Err(Refusal::TooLong(limit)) => {
            Err(SendError::TooLongFor { peer_id: peer.clone(), limit, length: payload.len() })
        }
    }
}

fn not_delivered(peer: PeerId, not: NotDelivered) -> SendError {
    match not {
        NotDelivered::Lost => SendError::Closed(peer),
        NotDelivered::Unknown => SendError::Unknown(peer),
    }
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

        let read = tokio::spawn(async move {
            assert_eq!((to_big.recv().await, to_big.recv().await), (Some("hello".into()), Some("next".into())));
            assert_eq!(to_small.recv().await, Some("next".into()));
            (to_big, to_small)
        });
        let sent = channels.send_all(&"hello".into()).await.unwrap();
        assert_eq!(sent, SentToAll { sent: 1, not_sent: vec![refusal.clone()] });
        assert_eq!(channels.queue(&b, &"hello".into()).await.err(), Some(refusal));
        assert_eq!(channels.send_all(&"next".into()).await, Ok(SentToAll { sent: 2, not_sent: vec![] }));
        read.await.unwrap();

        let too_long = Payload::from("x".repeat(MESSAGE_BYTES + 1));
        assert_eq!(channels.send_all(&too_long).await, Err(SendError::TooLong(MESSAGE_BYTES + 1)));
    }
}
