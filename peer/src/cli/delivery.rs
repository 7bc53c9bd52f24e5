//! The texts of `--send`, to everybody and until they are delivered.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use grtc_peer::{Event, PeerId, SendError};
use tokio::{sync::mpsc, task::JoinSet};

use super::lines::{Audience, Problem};

/// Sends the texts to each peer once. When a channel breaks before its peer has acknowledged them, they are sent again over
/// the next one: a peer gets them at least once. A peer that leaves before it has acknowledged them is not waited for; it is
/// not counted either.
pub(super) struct Delivery<A> {
    audience: Arc<A>,
    texts: Arc<[String]>,
    problems: mpsc::Sender<Problem>,
    begun: bool,
    open: BTreeSet<PeerId>,
    /// Peers that are getting the texts, or have acknowledged all of them.
    served: BTreeSet<PeerId>,
    /// The numbers of the texts that somebody has acknowledged.
    delivered: Arc<Mutex<BTreeSet<usize>>>,
    under_way: JoinSet<(PeerId, Result<(), SendError>)>,
}

impl<A: Audience> Delivery<A> {
    pub(super) fn new(audience: Arc<A>, texts: Vec<String>, problems: mpsc::Sender<Problem>) -> Self {
        Self {
            audience,
            texts: texts.into(),
            problems,
            begun: false,
            open: BTreeSet::new(),
            served: BTreeSet::new(),
            delivered: Arc::default(),
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
            let (audience, texts) = (Arc::clone(&self.audience), Arc::clone(&self.texts));
            let (delivered, problems) = (Arc::clone(&self.delivered), self.problems.clone());
            self.under_way.spawn(async move {
                let sent = deliver(&*audience, &id, &texts, &problems).await.map(|taken| {
                    delivered.lock().unwrap_or_else(PoisonError::into_inner).extend(taken);
                });
                (id, sent)
            });
        }
    }

    /// Waits for a delivery to end. Pending for ever while there is none.
    pub(super) async fn progress(&mut self) {
        match self.under_way.join_next().await {
            Some(Ok((id, Err(_)))) => {
                self.served.remove(&id);
                self.open.remove(&id);
                if self.audience.connected().contains(&id) {
                    self.open.insert(id);
                }
                self.serve();
            }
            Some(_) => {}
            None => std::future::pending().await,
        }
    }

    /// Whether each text has arrived at somebody, and nobody who is there waits for one.
    pub(super) fn is_done(&self) -> bool {
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner).len();
        let all = delivered == self.texts.len() && self.under_way.is_empty() && self.open.is_subset(&self.served);
        self.texts.is_empty() || all
    }
}

/// Sends all texts to one peer and waits until it has acknowledged them: the numbers of those that it can take.
async fn deliver(
    audience: &impl Audience,
    id: &PeerId,
    texts: &[String],
    problems: &mpsc::Sender<Problem>,
) -> Result<Vec<usize>, SendError> {
    let mut taken = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        match audience.send(id, text).await {
            Ok(()) => taken.push(number),
            Err(error @ (SendError::NotConnected(_) | SendError::Closed(_))) => return Err(error),
            // It can't take this one, and never will.
            Err(error) => {
                let problem = Problem { code: "not_sent", peer: Some(id.clone()), message: error.to_string() };
                // Nobody asks any more at the end.
                let _ = problems.send(problem).await;
            }
        }
    }
    audience.flush(id, || ()).await.map(|()| taken)
}
