//! How many of something each key has at a time.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::Arc,
};

use parking_lot::Mutex;

/// Counts of what is held, for each key apart. Who holds nothing takes no memory.
pub(crate) struct Holdings {
    most: usize,
    hashes: RandomState,
    held: Arc<Mutex<HashMap<u64, usize>>>,
}

/// One of them; given back when it is dropped.
pub(crate) struct Held {
    key: u64,
    held: Arc<Mutex<HashMap<u64, usize>>>,
}

impl Holdings {
    /// At most so many for each key.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, hashes: RandomState::new(), held: Arc::default() }
    }

    /// One more, if this key may have it.
    pub(crate) fn take(&self, key: impl Hash) -> Option<Held> {
        let key = self.hashes.hash_one(key);
        let mut held = self.held.lock();
        let count = held.entry(key).or_default();
        // Who is refused holds at least one.
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(held);
        Some(Held { key, held: self.held.clone() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_holds_at_most_so_many_and_nothing_is_left_of_it() {
        let holdings = Holdings::new(2);
        let mut held = vec![holdings.take("a"), holdings.take("a"), holdings.take("b")];
        assert!(held.iter().all(Option::is_some) && holdings.take("a").is_none());
        held.swap_remove(0);
        held.push(holdings.take("a"));
        assert!(held.iter().all(Option::is_some) && holdings.take("a").is_none());
        drop(held);
        assert!(holdings.held.lock().is_empty());
    }
}
