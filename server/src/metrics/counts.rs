//! Counters and gauges by one label, whose values are the words of an enum.

use std::marker::PhantomData;

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};

/// An enum whose words are the values of a label.
pub(crate) trait Word: Copy + 'static {
    /// Every one of them, each at its index.
    const ALL: &'static [Self];
    /// The value of the label.
    fn word(self) -> &'static str;
    /// Where it stands in `ALL`.
    fn index(self) -> usize;
}

/// One metric for each word, made at the start: to count is to add to a number.
pub(crate) struct Counts<W, M = Counter> {
    all: Vec<M>,
    words: PhantomData<fn(W)>,
}

/// The one label and its value.
pub(super) type Label = [(&'static str, &'static str); 1];

impl<W: Word, M: Clone + Default> Counts<W, M> {
    /// Those of `family`, under `label`.
    pub(super) fn of(family: &Family<Label, M>, label: &'static str) -> Self {
        let all = W::ALL.iter().map(|word| family.get_or_create_owned(&[(label, word.word())])).collect();
        Self { all, words: PhantomData }
    }
}

impl<W: Word> Counts<W> {
    /// One more.
    pub(crate) fn inc(&self, word: W) {
        self.add(word, 1);
    }

    /// So many more.
    pub(crate) fn add(&self, word: W, count: usize) {
        if let Some(counter) = self.all.get(word.index()) {
            counter.inc_by(count as u64);
        }
    }

    #[cfg(test)]
    pub(crate) fn get(&self, word: W) -> u64 {
        self.all[word.index()].get()
    }
}

impl<W: Word> Counts<W, Gauge> {
    /// So many now.
    pub(crate) fn set(&self, word: W, count: usize) {
        if let Some(gauge) = self.all.get(word.index()) {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}
