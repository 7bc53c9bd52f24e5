//! How many there may be: rooms, peers in one of them, and places of one `sub` in all of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The caps of all rooms. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Caps {
    pub(crate) rooms: usize,
    pub(crate) room_peers: usize,
    pub(crate) places: Places,
}

impl Caps {
    /// None at all.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { rooms: usize::MAX, room_peers: usize::MAX, places: Places::new(usize::MAX) }
    }
}

/// The places that each `sub` has in all rooms.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    most: usize,
    taken: Arc<Mutex<HashMap<Arc<str>, usize>>>,
}

/// A place of a `sub`; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    sub: Arc<str>,
    taken: Arc<Mutex<HashMap<Arc<str>, usize>>>,
}

impl Places {
    /// At most so many for each `sub`.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// One more, if this `sub` may have it.
    pub(crate) fn claim(&self, sub: &Arc<str>) -> Option<Claim> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(sub.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Claim { sub: sub.clone(), taken: self.taken.clone() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.sub) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.sub);
            }
        }
    }
}
