//! What frames meet on their way from one end of a line.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use fastrand::Rng;

/// What waits on a way at most: what comes then is lost, as in any network.
const HELD: usize = 256 << 20;

/// What frames meet on their way from one end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Way {
    /// How long each frame takes.
    pub delay: Duration,
    /// The share of frames that get lost at random, from 0 to 1. Those of ARP do not: a lost one costs a second, and
    /// says nothing about the path.
    pub loss: f64,
    /// How fast it is, and what waits where more comes: without, there is no bound.
    pub bottleneck: Option<Bottleneck>,
}

/// A bottleneck: what finds the buffer full is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bottleneck {
    /// Bytes of frames a second.
    pub rate: f64,
    /// Bytes of frames that wait.
    pub buffer: usize,
}

/// What came of the frames from one end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Those that arrived.
    pub arrived: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that were lost at random.
    pub lost: u64,
    /// Those that found a full buffer.
    pub overflowed: u64,
    /// Those that were under way, or began to be, while one of the two ends was cut off.
    pub cut: u64,
}

pub(super) type Frame = Box<[u8]>;

/// The frames on their way.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) way: Way,
    pub(super) is_cut: bool,
    pub(super) counts: Counts,
    rng: Rng,
    frames: VecDeque<(Instant, Frame)>,
    held: usize,
    /// When the bottleneck has passed all that it took.
    idle_at: Option<Instant>,
}

impl Queue {
    /// Frames are lost in the same order for the same seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            way: Way::default(),
            is_cut: false,
            counts: Counts::default(),
            rng: Rng::with_seed(seed),
            frames: VecDeque::new(),
            held: 0,
            idle_at: None,
        }
    }

    pub(super) fn push(&mut self, frame: &[u8], now: Instant) {
        if self.is_cut {
            self.counts.cut += 1;
        } else if is_ip(frame) && self.way.loss > 0.0 && self.rng.f64() < self.way.loss {
            self.counts.lost += 1;
        } else if let Some(passed) = self.passed(frame.len(), now) {
            self.held += frame.len();
            self.frames.push_back((passed + self.way.delay, frame.into()));
        } else {
            self.counts.overflowed += 1;
        }
    }

    /// When a frame of this length is through the bottleneck, unless that has no room for it.
    fn passed(&mut self, length: usize, now: Instant) -> Option<Instant> {
        let Some(Bottleneck { rate, buffer }) = self.way.bottleneck else {
            return (self.held + length <= HELD).then_some(now);
        };
        let begin = self.idle_at.map_or(now, |idle_at| idle_at.max(now));
        let waits = (begin - now).as_secs_f64() * rate;
        if waits + length as f64 > buffer as f64 {
            return None;
        }
        let idle_at = begin + Duration::from_secs_f64(length as f64 / rate);
        self.idle_at = Some(idle_at);
        Some(idle_at)
    }

    /// When the next frame arrives.
    pub(super) fn next(&self) -> Option<Instant> {
        self.frames.front().map(|(due, _)| *due)
    }

    /// The next frame, if it is there by now.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Frame> {
        let (_, frame) = self.frames.pop_front_if(|(due, _)| *due <= now)?;
        self.held -= frame.len();
        Some(frame)
    }

    /// Drops what is under way.
    pub(super) fn clear(&mut self) {
        self.counts.cut += self.frames.len() as u64;
        self.frames.clear();
        (self.held, self.idle_at) = (0, None);
    }
}

/// IPv4 or IPv6.
fn is_ip(frame: &[u8]) -> bool {
    matches!(frame.get(12..14), Some([0x08, 0x00] | [0x86, 0xdd]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut frame = vec![0; length];
        frame[12] = 8;
        frame
    }

    fn queue(way: Way) -> (Queue, Instant) {
        (Queue { way, ..Queue::new(1) }, Instant::now())
    }

    #[test]
    fn a_frame_takes_its_time() {
        let delay = Duration::from_millis(25);
        let (mut queue, now) = queue(Way { delay, ..Way::default() });
        queue.push(&frame(100), now);
        assert_eq!(queue.next(), Some(now + delay));
        assert_eq!(queue.pop(now + delay - Duration::from_nanos(1)), None);
        assert_eq!(queue.pop(now + delay).map(|frame| frame.len()), Some(100));
    }

    #[test]
    fn a_share_is_lost_the_same_for_the_same_seed_and_arp_is_not() {
        let losses = [1, 1, 2].map(|seed| {
            let mut queue = Queue { way: Way { loss: 0.1, ..Way::default() }, ..Queue::new(seed) };
            let now = Instant::now();
            let lost = |_| {
                let before = queue.counts.lost;
                queue.push(&frame(100), now);
                queue.counts.lost > before
            };
            (0..10_000).map(lost).collect::<Vec<bool>>()
        });
        let lost = losses[0].iter().filter(|lost| **lost).count();
        assert!((900..=1100).contains(&lost), "{lost}");
        assert!(losses[0] == losses[1] && losses[0] != losses[2]);
        let (mut queue, now) = queue(Way { loss: 1.0, ..Way::default() });
        queue.push(&[0; 60], now);
        assert!(queue.pop(now).is_some());
    }

    #[test]
    fn a_bottleneck_drops_what_finds_its_buffer_full_and_passes_the_rest_at_its_rate() {
        let bottleneck = Some(Bottleneck { rate: 1e6, buffer: 10_000 });
        let (mut queue, now) = queue(Way { bottleneck, ..Way::default() });
        for _ in 0..15 {
            queue.push(&frame(1000), now);
        }
        assert_eq!(queue.counts.overflowed, 5);
        let later = now + Duration::from_millis(5);
        assert_eq!(std::iter::from_fn(|| queue.pop(later)).count(), 5);
        for _ in 0..10 {
            queue.push(&frame(1000), later);
        }
        assert_eq!(queue.counts.overflowed, 10);
        assert_eq!(std::iter::from_fn(|| queue.pop(later + Duration::from_secs(1))).count(), 10);
    }

    #[test]
    fn who_is_cut_off_sends_nothing() {
        let (mut queue, now) = queue(Way::default());
        queue.push(&frame(100), now);
        queue.is_cut = true;
        queue.clear();
        queue.push(&frame(100), now);
        assert_eq!((queue.pop(now), queue.counts.cut), (None, 2));
    }
}
