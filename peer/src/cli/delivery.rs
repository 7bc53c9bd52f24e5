//! The texts of `--send`, to everybody and until they are delivered.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use grtc_peer::{Event, Peer, PeerId, SendError};
use tokio::task::JoinSet;

/// Sends the texts to each peer once. When a channel breaks before its peer has acknowledged them, they are sent again over
/// the next one: a peer gets them at least once. A peer that leaves before it has acknowledged them is not waited for.
#[derive(Debug)]
pub(super) struct Delivery {
    peer: Arc<Peer>,
    texts: Arc<[String]>,
    begun: bool,
    open: BTreeSet<PeerId>,
    /// Peers that are getting the texts, or have acknowledged all of them.
    served: BTreeSet<PeerId>,
    /// All texts were handed to somebody's channel.
    handed_over: Arc<AtomicBool>,
    under_way: JoinSet<(PeerId, Result<(), SendError>)>,
}

impl Delivery {
    pub(super) fn new(peer: Arc<Peer>, texts: Vec<String>) -> Self {
        Self {
            peer,
            texts: texts.into(),
            begun: false,
            open: BTreeSet::new(),
            served: BTreeSet::new(),
            handed_over: Arc::default(),
            under_way: JoinSet::new(),
        }
    }

    /// Takes note of who is connected. `begin` says that the channels that are waited for are open.
    pub(super) fn note(&mut self, event: &Event, begin: bool) {
        match event {
            Event::Connected { peer_id, .. } => {
                self.open.insert(peer_id.clone());
            }
            Event::Disconnected { peer_id } => {
                self.open.remove(peer_id);
            }
            // It will not come back for what it has not got.
            Event::PeerLeft { peer_id, .. } => {
                self.served.remove(peer_id);
            }
            _ => {}
        }
        self.begun |= begin;
        self.serve();
    }

    fn serve(&mut self) {
        if !self.begun || self.texts.is_empty() {
            return;
        }
        for id in self.open.difference(&self.served).cloned().collect::<Vec<_>>() {
            self.served.insert(id.clone());
            let (peer, texts) = (Arc::clone(&self.peer), Arc::clone(&self.texts));
            let handed_over = Arc::clone(&self.handed_over);
            self.under_way.spawn(async move {
                let sent = deliver(&peer, &id, &texts, &handed_over).await;
                (id, sent)
            });
        }
    }

    /// Waits for a delivery to end, and says when its peer takes no text as long as one of these. Pending for ever while there
    /// is none.
    pub(super) async fn progress(&mut self) -> Option<(PeerId, SendError)> {
        match self.under_way.join_next().await {
            // It would not take it the next time either.
            Some(Ok((id, Err(error @ SendError::TooLongFor { .. })))) => return Some((id, error)),
            Some(Ok((id, Err(_)))) => {
                self.served.remove(&id);
                self.open.remove(&id);
                if self.peer.connected().contains(&id) {
                    self.open.insert(id);
                }
                self.serve();
            }
            Some(_) => {}
            None => std::future::pending().await,
        }
        None
    }

    /// Whether everything that was to be sent has arrived.
    pub(super) fn is_done(&self) -> bool {
        let all = self.under_way.is_empty() && self.open.is_subset(&self.served);
        self.texts.is_empty() || (all && self.handed_over.load(Ordering::Relaxed))
    }
}

async fn deliver(peer: &Peer, id: &PeerId, texts: &[String], handed_over: &AtomicBool) -> Result<(), SendError> {
    let mut too_long = None;
    for text in texts {
        match peer.send(id, text.as_str()).await {
            Err(error @ SendError::TooLongFor { .. }) => too_long = Some(error),
            sent => sent?,
        }
    }
    handed_over.fetch_or(too_long.is_none(), Ordering::Relaxed);
    peer.flush(id).await?;
    too_long.map_or(Ok(()), Err)
}
