//! The limits as an operator has set them.

use std::ops::{Index, IndexMut};

use serde::{Serialize, Serializer};

use super::table::{LIMITS, Limit, TABLE};

/// A number for each limit: `values[Limit::Rooms] = 10`. 0 switches one off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values([u32; LIMITS]);

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) a_second: u32,
    pub(crate) burst: u32,
}

impl Default for Values {
    fn default() -> Self {
        Self(TABLE.map(|entry| entry.default))
    }
}

impl Index<Limit> for Values {
    type Output = u32;

    fn index(&self, limit: Limit) -> &u32 {
        &self.0[limit as usize]
    }
}

impl IndexMut<Limit> for Values {
    fn index_mut(&mut self, limit: Limit) -> &mut u32 {
        &mut self.0[limit as usize]
    }
}

impl Values {
    /// No limit at all.
    #[must_use]
    pub fn none() -> Self {
        Self([0; LIMITS])
    }

    /// How many there may be at most.
    pub(crate) fn most(&self, limit: Limit) -> usize {
        match self[limit] {
            0 => usize::MAX,
            most => usize::try_from(most).unwrap_or(usize::MAX),
        }
    }

    /// The rate, with a burst that grows and shrinks with it; none if it is switched off.
    pub(crate) fn rate(&self, limit: Limit) -> Option<Rate> {
        let (entry, a_second) = (limit.entry(), self[limit]);
        let burst = u64::from(entry.burst.unwrap_or_default()) * u64::from(a_second) / u64::from(entry.default);
        let burst = u32::try_from(burst).unwrap_or(u32::MAX).max(1);
        (a_second > 0).then_some(Rate { a_second, burst })
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(TABLE.iter().map(|entry| (entry.key, self[entry.limit])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_scales_with_its_rate_and_zero_is_no_limit() {
        let mut values = Values::default();
        assert_eq!(values.rate(Limit::JoinRate), Some(Rate { a_second: 20, burst: 100 }));
        values[Limit::JoinRate] = 1;
        assert_eq!(values.rate(Limit::JoinRate), Some(Rate { a_second: 1, burst: 5 }));
        values[Limit::MessageRate] = 1;
        assert_eq!(values.rate(Limit::MessageRate), Some(Rate { a_second: 1, burst: 1 }));
        values[Limit::MessageRate] = u32::MAX;
        assert!(values.rate(Limit::MessageRate).is_some_and(|rate| rate.burst > 500_000_000));
        let none = Values::none();
        assert!(TABLE.iter().all(|entry| none.rate(entry.limit).is_none() && none.most(entry.limit) == usize::MAX));
    }
}
