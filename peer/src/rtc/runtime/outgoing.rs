//! Datagrams that wait for the end of the driver's pass, as runs that one system call takes. Pure: no socket, no clock.
//!
//! The library hands over one datagram at a time unless sixteen or more follow each other, and each would be a system call
//! of its own: most of what a message costs. Can go when the library makes runs of any length itself.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use webrtc::runtime::{EcnCodepoint, Transmit};

use crate::limits::{RUN_BYTES, RUN_DATAGRAMS};

/// Datagrams of one length to one place; the last may be shorter.
#[derive(Debug)]
struct Run {
    destination: SocketAddr,
    ecn: Option<EcnCodepoint>,
    src_ip: Option<IpAddr>,
    length: usize,
    contents: Vec<u8>,
}

impl Run {
    fn takes(&self, transmit: &Transmit<'_>, datagram: &[u8], most: usize) -> bool {
        let whole = self.contents.len().is_multiple_of(self.length);
        let same = (self.destination, self.ecn, self.src_ip) == (transmit.destination, transmit.ecn, transmit.src_ip);
        same && whole
            && datagram.len() <= self.length
            && self.contents.len() / self.length < most
            && self.contents.len() + datagram.len() <= RUN_BYTES
    }
}

/// What waits to be sent, in order.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    runs: VecDeque<Run>,
    bytes: usize,
    /// The buffer of the last run that was sent.
    spare: Vec<u8>,
}

impl Outgoing {
    /// Adds what the library sends. `most` datagrams go into one system call.
    pub(super) fn push(&mut self, transmit: &Transmit<'_>, most: usize) {
        let length = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        for datagram in transmit.contents.chunks(length) {
            self.bytes += datagram.len();
            match self.runs.back_mut() {
                Some(run) if run.takes(transmit, datagram, most.min(RUN_DATAGRAMS)) => {
                    run.contents.extend_from_slice(datagram);
                }
                _ => self.begin(transmit, datagram),
            }
        }
    }

    fn begin(&mut self, transmit: &Transmit<'_>, datagram: &[u8]) {
        let mut contents = std::mem::take(&mut self.spare);
        contents.extend_from_slice(datagram);
        let Transmit { destination, ecn, src_ip, .. } = *transmit;
        self.runs.push_back(Run { destination, ecn, src_ip, length: datagram.len(), contents });
    }

    /// The next run.
    pub(super) fn next(&self) -> Option<Transmit<'_>> {
        let run = self.runs.front()?;
        Some(Transmit {
            destination: run.destination,
            ecn: run.ecn,
            contents: &run.contents,
            segment_size: (run.contents.len() > run.length).then_some(run.length),
            src_ip: run.src_ip,
        })
    }

    /// The next run was sent, or can't be.
    pub(super) fn pop(&mut self) {
        if let Some(Run { mut contents, .. }) = self.runs.pop_front() {
            self.bytes -= contents.len();
            contents.clear();
            self.spare = contents;
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Spaces what goes out: so many bytes in a millisecond, and as many more at once.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// Until when what was sent takes at that rate.
    until: Option<Instant>,
}

/// What may be sent ahead. Timers are no finer.
const BURST: Duration = Duration::from_millis(1);

impl Pacer {
    /// Whether the next run may go, or when.
    pub(super) fn due(&self, now: Instant) -> Result<(), Instant> {
        match self.until {
            Some(until) if until > now + BURST => Err(until - BURST),
            _ => Ok(()),
        }
    }

    /// So many bytes went, of so many a millisecond.
    pub(super) fn sent(&mut self, now: Instant, bytes: usize, per_ms: usize) {
        let begin = self.until.map_or(now, |until| until.max(now));
        self.until = Some(begin + Duration::from_micros(bytes as u64 * 1_000 / per_ms.max(1) as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transmit(contents: &[u8], segment_size: Option<usize>, port: u16) -> Transmit<'_> {
        let destination = SocketAddr::from(([127, 0, 0, 1], port));
        Transmit { destination, ecn: None, contents, segment_size, src_ip: None }
    }

    /// The lengths of each run's datagrams.
    fn runs(outgoing: &mut Outgoing) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        while let Some(next) = outgoing.next() {
            all.push(next.contents.chunks(next.segment_size.unwrap_or(usize::MAX)).map(<[u8]>::len).collect());
            outgoing.pop();
        }
        all
    }

    #[test]
    fn datagrams_of_one_length_are_one_run_and_a_shorter_one_ends_it() {
        let mut outgoing = Outgoing::default();
        for length in [1_200, 1_200, 1_200, 500, 1_200, 1_300] {
            outgoing.push(&transmit(&vec![7; length], None, 1), 64);
        }
        outgoing.push(&transmit(&[7; 1_300], None, 2), 64);
        assert_eq!(outgoing.bytes(), 7_900);
        assert_eq!(runs(&mut outgoing), [vec![1_200, 1_200, 1_200, 500], vec![1_200], vec![1_300], vec![1_300]]);
        assert_eq!(outgoing.bytes(), 0);
    }

    #[test]
    fn a_run_that_the_library_has_made_goes_on() {
        let mut outgoing = Outgoing::default();
        outgoing.push(&transmit(&[7; 3_600], Some(1_200), 1), 64);
        outgoing.push(&transmit(&[7; 1_700], Some(1_200), 1), 64);
        assert_eq!(runs(&mut outgoing), [vec![1_200, 1_200, 1_200, 1_200, 500]]);
    }

    #[test]
    fn a_run_ends_where_the_system_takes_no_more() {
        let mut outgoing = Outgoing::default();
        for _ in 0..3 {
            outgoing.push(&transmit(&[7; 1_200], None, 1), 1);
        }
        assert_eq!(runs(&mut outgoing), [[1_200], [1_200], [1_200]]);
        for _ in 0..200 {
            outgoing.push(&transmit(&[7; 1_200], None, 1), 1_000);
        }
        assert!(runs(&mut outgoing).iter().all(|run| run.len() <= RUN_DATAGRAMS && run.len() * 1_200 <= RUN_BYTES));
    }

    #[test]
    fn a_pacer_lets_a_burst_through_and_then_keeps_the_rate() {
        let (mut pacer, begin) = (Pacer::default(), Instant::now());
        let (mut now, mut sent) = (begin, 0);
        while now < begin + Duration::from_millis(20) {
            match pacer.due(now) {
                Ok(()) => {
                    pacer.sent(now, 10_000, 32_000);
                    sent += 10_000;
                }
                Err(at) => now = at,
            }
        }
        assert!((640_000..=700_000).contains(&sent), "{sent} in 20 ms");
    }
}
