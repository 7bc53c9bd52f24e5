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

    /// Waits until the peer has acknowledged everything.
    pub(crate) async fn flush(&self, peer: &PeerId) -> Result<(), SendError> {
        let channel = self.get(peer)?;
        loop {
            match channel.outstanding().await {
                Ok(0) => return Ok(()),
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
