//! What one side of a conversation has heard of the other.

use std::{
    fmt::{self, Display, Formatter},
    time::{Duration, Instant},
};

use anyhow::ensure;

/// What came of the messages that one side sent, numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// When each was sent.
    pub sent: Vec<Instant>,
    /// What came: the number, and when.
    pub came: Vec<(usize, Instant)>,
}

impl Heard {
    /// Those that never came.
    #[must_use]
    pub fn missing(&self) -> Vec<usize> {
        let mut missing = vec![true; self.sent.len()];
        self.came.iter().for_each(|(number, _)| missing[*number] = false);
        (0..missing.len()).filter(|number| missing[*number]).collect()
    }

    /// Those that came a second time.
    #[must_use]
    pub fn doubled(&self) -> Vec<usize> {
        let mut seen = vec![false; self.sent.len()];
        let again = |number: &usize| std::mem::replace(&mut seen[*number], true);
        self.came.iter().map(|(number, _)| *number).filter(again).collect()
    }

    /// Those that came after a later one.
    #[must_use]
    pub fn out_of_order(&self) -> Vec<usize> {
        self.came.windows(2).filter(|pair| pair[1].0 < pair[0].0).map(|pair| pair[1].0).collect()
    }

    /// How many have not come yet, as long as none is missing.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.sent.len().saturating_sub(self.came.len())
    }

    /// How long nothing came at most, while something was sent: from the first one that was sent.
    #[must_use]
    pub fn longest_gap(&self) -> Duration {
        let times = self.sent.iter().take(1).chain(self.came.iter().map(|(_, when)| when));
        let times: Vec<&Instant> = times.collect();
        times.windows(2).map(|pair| pair[1].saturating_duration_since(*pair[0])).max().unwrap_or_default()
    }

    /// How long it took after this moment until something came that was sent after it.
    #[must_use]
    pub fn went_on_after(&self, moment: Instant) -> Option<Duration> {
        let (_, when) = self.came.iter().find(|(number, _)| self.sent[*number] > moment)?;
        Some(*when - moment)
    }

    /// How long this share of the messages took at most, from 0 to 1.
    #[must_use]
    pub fn latency(&self, share: f64) -> Duration {
        let mut took: Vec<Duration> = self.came.iter().map(|(number, when)| *when - self.sent[*number]).collect();
        took.sort();
        let rank = (took.len() as f64 * share).ceil() as usize;
        took.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Whether each came, once and in order.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn is_complete(&self) -> anyhow::Result<()> {
        let (missing, doubled, out_of_order) = (self.missing(), self.doubled(), self.out_of_order());
        ensure!(missing.is_empty(), "{} never came: {}", missing.len(), some(&missing));
        ensure!(doubled.is_empty(), "{} came twice: {}", doubled.len(), some(&doubled));
        ensure!(out_of_order.is_empty(), "{} came after later ones: {}", out_of_order.len(), some(&out_of_order));
        Ok(())
    }
}

/// The first and the last of them.
fn some(numbers: &[usize]) -> String {
    match numbers {
        [first, .., last] if numbers.len() > 20 => format!("{first} … {last}"),
        _ => format!("{numbers:?}"),
    }
}

impl Display for Heard {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (missing, doubled) = (self.missing(), self.doubled());
        write!(f, "{} of {} came", self.sent.len() - missing.len(), self.sent.len())?;
        for (numbers, what) in [(missing, "missing"), (doubled, "doubled"), (self.out_of_order(), "out of order")] {
            if !numbers.is_empty() {
                write!(f, ", {} {what} ({})", numbers.len(), some(&numbers))?;
            }
        }
        let [half, most, all] = [0.5, 0.99, 1.0].map(|share| self.latency(share));
        write!(f, "; longest gap {:.2?}; took p50 {half:.2?}, p99 {most:.2?}, max {all:.2?}", self.longest_gap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was sent each 10 ms and came 5 ms later, except for this.
    fn heard(numbers: &[usize]) -> Heard {
        let begin = Instant::now();
        let sent = |number: usize| begin + Duration::from_millis(10) * u32::try_from(number).unwrap();
        let came = numbers.iter().map(|number| (*number, sent(*number) + Duration::from_millis(5))).collect();
        Heard { sent: (0..10).map(sent).collect(), came }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let all: Vec<usize> = (0..10).collect();
        assert!(heard(&all).is_complete().is_ok());
        assert_eq!(heard(&[0, 1, 3, 4, 5, 6, 7, 8, 9]).missing(), [2]);
        assert_eq!(heard(&[&all[..], &[9]].concat()).doubled(), [9]);
        assert_eq!(heard(&[1, 0, 2, 3, 4, 5, 6, 7, 8, 9]).out_of_order(), [0]);
        for wrong in [&all[1..], &[&all[..], &[9]].concat(), &[1, 0, 2, 3, 4, 5, 6, 7, 8, 9]] {
            assert!(heard(wrong).is_complete().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn times_are_those_of_what_came() {
        let heard = heard(&[0, 1, 5, 6, 7, 8, 9]);
        assert_eq!(heard.longest_gap(), Duration::from_millis(40));
        assert_eq!(heard.went_on_after(heard.sent[2]), Some(Duration::from_millis(35)));
        assert_eq!(heard.went_on_after(heard.sent[9]), None);
        assert_eq!(heard.latency(0.99), Duration::from_millis(5));
        assert_eq!(heard.waiting(), 3);
    }
}
