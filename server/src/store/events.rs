//! The changes of items, as they are committed: the last thousand are kept for who comes back.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use tokio::sync::watch;

use super::model::{Item, Job};
use crate::limits::EVENT_HISTORY;

/// Bytes that one reader is handed at once, but for a single larger event: one that reads slowly holds no more.
const AT_ONCE: usize = 64 * 1024;

/// A committed change.
#[derive(Debug)]
pub(crate) enum Change {
    Created(Item),
    Updated(Item),
    Deleted(i64),
    Processed(Item, Job),
}

/// The changes since the process started. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Events(Arc<Inner>);

struct Inner {
    /// Tells this process's numbers from those before a restart.
    epoch: String,
    history: Mutex<History>,
    last: watch::Sender<u64>,
}

#[derive(Default)]
struct History {
    /// Encoded once for everybody, as `text/event-stream` has it.
    frames: VecDeque<Bytes>,
    /// The number of the last change.
    last: u64,
}

/// One reader's place among the changes.
pub(crate) struct Subscription {
    events: Events,
    changed: watch::Receiver<u64>,
    /// The last number that the reader has; `None`: one that is not known any more.
    seen: Option<u64>,
}

#[derive(Serialize)]
struct ProcessedItem<'a> {
    #[serde(flatten)]
    item: &'a Item,
    job: &'a Job,
}

impl Events {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let epoch = format!("{:016x}", u64::from_ne_bytes(random));
        Ok(Self(Arc::new(Inner { epoch, history: Mutex::default(), last: watch::Sender::new(0) })))
    }

    /// Hands changes to all readers, in this order.
    pub(crate) fn publish(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let mut history = self.history();
        for change in changes {
            history.last += 1;
            let frame = self.encode(history.last, change);
            if history.frames.len() == EVENT_HISTORY {
                history.frames.pop_front();
            }
            history.frames.push_back(frame);
        }
        let last = history.last;
        drop(history);
        self.0.last.send_replace(last);
    }

    /// A reader that has seen everything up to the event with this id, or everything up to now.
    pub(crate) fn subscribe(&self, last_event_id: Option<&str>) -> Subscription {
        let changed = self.0.last.subscribe();
        let seen = match last_event_id {
            None => Some(self.history().last),
            Some(id) => {
                id.split_once('-').filter(|(epoch, _)| *epoch == self.0.epoch).and_then(|(_, n)| n.parse().ok())
            }
        };
        Subscription { events: self.clone(), changed, seen }
    }

    fn encode(&self, number: u64, change: &Change) -> Bytes {
        let (name, data) = match change {
            Change::Created(item) => ("created", serde_json::to_string(item)),
            Change::Updated(item) => ("updated", serde_json::to_string(item)),
            Change::Deleted(id) => ("deleted", Ok(format!("{{\"id\":{id}}}"))),
            Change::Processed(item, job) => ("processed", serde_json::to_string(&ProcessedItem { item, job })),
        };
        self.frame(name, number, &data.unwrap_or_default())
    }

    fn frame(&self, name: &str, number: u64, data: &str) -> Bytes {
        format!("event: {name}\nid: {}\ndata: {data}\n\n", self.id(number)).into()
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.0.epoch)
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.0.history.lock()
    }
}

impl Subscription {
    /// The id of the last event that the reader has, if it is still known.
    pub(crate) fn place(&self) -> Option<String> {
        self.seen.map(|number| self.events.id(number))
    }

    /// What the reader has not seen, waiting for it if need be; `reset` first if something in between is gone.
    pub(crate) async fn next(&mut self) -> Bytes {
        loop {
            self.changed.borrow_and_update();
            if let Some(frames) = self.unseen() {
                return frames;
            }
            // The sender lives as long as `self.events`.
            if self.changed.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    fn unseen(&mut self) -> Option<Bytes> {
        let history = self.events.history();
        let last = history.last;
        let kept = history.frames.len() as u64;
        match self.seen.filter(|seen| *seen <= last && last - seen <= kept) {
            Some(seen) if seen == last => None,
            Some(seen) => {
                let skip = usize::try_from(kept - (last - seen)).unwrap_or_default();
                let (mut frames, mut count) = (Vec::new(), 0);
                for frame in history.frames.iter().skip(skip) {
                    if count > 0 && frames.len() + frame.len() > AT_ONCE {
                        break;
                    }
                    frames.extend_from_slice(frame);
                    count += 1;
                }
                self.seen = Some(seen + count);
                Some(frames.into())
            }
            None => {
                self.seen = Some(last);
                Some(self.events.frame("reset", last, "{}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    fn deleted(ids: std::ops::Range<i64>) -> Vec<Change> {
        ids.map(Change::Deleted).collect()
    }

    fn last_id(frames: &Bytes) -> String {
        text(frames).lines().rfind(|line| line.starts_with("id: ")).unwrap()[4..].to_owned()
    }

    #[tokio::test]
    async fn a_reader_gets_what_comes_and_comes_back_to_what_it_missed() {
        let events = Events::new().unwrap();
        events.publish(&deleted(0..3));
        let mut reader = events.subscribe(None);
        let before = reader.place().unwrap();
        events.publish(&deleted(3..4));
        let first = reader.next().await;
        assert_eq!(events.subscribe(Some(&before)).next().await, first);
        assert!(text(&first).starts_with("event: deleted\nid: "));
        assert!(text(&first).ends_with("-4\ndata: {\"id\":3}\n\n"));
        events.publish(&deleted(4..6));
        let mut back = events.subscribe(Some(&last_id(&first)));
        assert_eq!(text(&back.next().await).matches("event: deleted").count(), 2);
    }

    #[tokio::test]
    async fn who_was_away_too_long_or_before_a_restart_is_told_to_load_anew() {
        let events = Events::new().unwrap();
        events.publish(&deleted(0..1));
        let mut reader = events.subscribe(None);
        events.publish(&deleted(1..2));
        let id = last_id(&reader.next().await);
        let many = i64::try_from(EVENT_HISTORY).unwrap();
        events.publish(&deleted(0..many));
        let (mut back, mut count) = (events.subscribe(Some(&id)), 0);
        while count < EVENT_HISTORY {
            let frames = back.next().await;
            assert!(frames.len() <= AT_ONCE);
            count += text(&frames).matches("event: deleted").count();
        }
        assert_eq!(count, EVENT_HISTORY);
        events.publish(&deleted(0..1));
        for id in [id.as_str(), "0-1", "x", ""] {
            let mut back = events.subscribe(Some(id));
            assert!(text(&back.next().await).starts_with("event: reset\n"), "{id}");
            events.publish(&deleted(7..8));
            assert!(text(&back.next().await).contains("{\"id\":7}"));
        }
    }
}
