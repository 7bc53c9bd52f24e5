//! The texts of `--send`, to everybody and until they are delivered.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use grtc_peer::{Event, Peer, PeerId, SendError};
use tokio::task::JoinSet;

/// Sends the texts to each peer once. When a channel breaks before its peer has acknowledged them, they are sent again over
/// the next one: a peer gets them at least once.
#[derive(Debug)]
pub(super) struct Delivery {
    peer: Arc<Peer>,
    texts: Arc<[String]>,
    begun: bool,
    open: BTreeSet<PeerId>,
    /// Peers that have all of it, or are getting it.
    served: BTreeMap<PeerId, bool>,
    under_way: JoinSet<(PeerId, Result<(), SendError>)>,
}

impl Delivery {
    pub(super) fn new(peer: Arc<Peer>, texts: Vec<String>) -> Self {
        Self {
            peer,
            texts: texts.into(),
            begun: false,
            open: BTreeSet::new(),
            served: BTreeMap::new(),
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
        for id in self.open.iter().filter(|id| !self.served.contains_key(*id)).cloned().collect::<Vec<_>>() {
            let (peer, texts) = (Arc::clone(&self.peer), Arc::clone(&self.texts));
            self.served.insert(id.clone(), false);
            self.under_way.spawn(async move {
                let sent = deliver(&peer, &id, &texts).await;
                (id, sent)
            });
        }
    }

    /// Waits for a delivery to end. Pending for ever while there is none.
    pub(super) async fn progress(&mut self) {
        match self.under_way.join_next().await {
            Some(Ok((id, Ok(())))) => {
                self.served.entry(id).and_modify(|delivered| *delivered = true);
            }
            Some(Ok((id, Err(_)))) => {
                self.served.remove(&id);
                self.open.remove(&id);
                if self.peer.connected().contains(&id) {
                    self.open.insert(id);
                }
                self.serve();
            }
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Whether everything that was to be sent has arrived.
    pub(super) fn is_done(&self) -> bool {
        let all = self.served.values().all(|delivered| *delivered) && self.under_way.is_empty();
        self.texts.is_empty() || (self.begun && all && self.served.values().any(|delivered| *delivered))
    }
}

async fn deliver(peer: &Peer, id: &PeerId, texts: &[String]) -> Result<(), SendError> {
    for text in texts {
        peer.send(id, text.as_str()).await?;
    }
    peer.flush(id).await
}
