//! The thread of a line: one for all its ends, so that a frame wakes nobody else.

use std::{
    collections::HashMap,
    io::PipeReader,
    os::fd::AsFd,
    process::Command,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
    unistd::gettid,
};
use parking_lot::Mutex;
use tun_rs::SyncDevice;

use super::way::Queue;

/// Frames that are read from one end before another one has its turn.
const TURN: usize = 64;
/// More than the longest frame.
const FRAME: usize = 1 << 16;

type Address = [u8; 6];

/// Hands frames on until `told` ends, or a device is gone with its machine.
pub(super) fn run(devices: &[SyncDevice], ways: &Mutex<Vec<Queue>>, told: &PipeReader) {
    hurry();
    let mut switch = Switch { devices, known: HashMap::new(), buffer: vec![0; FRAME] };
    loop {
        let next = {
            let mut ways = ways.lock();
            switch.deliver(&mut ways);
            if switch.take(&mut ways).is_err() {
                return;
            }
            ways.iter().filter_map(Queue::next).min()
        };
        let mut ready: Vec<PollFd<'_>> =
            devices.iter().map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN)).collect();
        ready.push(PollFd::new(told.as_fd(), PollFlags::POLLIN));
        match ppoll(&mut ready, next.map(until), None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
        if ready.last().and_then(PollFd::any) == Some(true) {
            return;
        }
    }
}

/// Comes before what else runs on the machine: it has little to do, and each frame is late by what it waits for. Where that is
/// not allowed, it waits like others.
fn hurry() {
    let _ = Command::new("chrt").args(["--rr", "--pid", "1", &gettid().to_string()]).output();
}

/// The kernel waits by the nanosecond, where tokio's clock knows milliseconds.
fn until(due: Instant) -> TimeSpec {
    TimeSpec::from_duration(due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1)))
}

struct Switch<'a> {
    devices: &'a [SyncDevice],
    /// Whose frames came from which end.
    known: HashMap<Address, usize>,
    buffer: Vec<u8>,
}

impl Switch<'_> {
    /// Writes what has arrived by now.
    fn deliver(&self, ways: &mut [Queue]) {
        let now = Instant::now();
        for from in 0..ways.len() {
            while let Some(frame) = ways[from].pop(now) {
                let known = address(&frame, 0).and_then(|to| self.known.get(&to).copied());
                for to in (0..ways.len()).filter(|to| known.map_or(*to != from, |known| known == *to)) {
                    if ways[to].is_cut {
                        ways[from].counts.cut += 1;
                    } else if self.devices[to].send(&frame).is_ok() {
                        ways[from].counts.arrived += 1;
                        ways[from].counts.bytes += frame.len() as u64;
                    }
                    // Or its interface is down: then nothing arrives there.
                }
            }
        }
    }

    /// Reads what has been sent.
    fn take(&mut self, ways: &mut [Queue]) -> std::io::Result<()> {
        for (from, device) in self.devices.iter().enumerate() {
            for _ in 0..TURN {
                let length = match device.recv(&mut self.buffer) {
                    Ok(length) => length,
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                };
                let frame = &self.buffer[..length];
                if let Some(sender) = address(frame, 6) {
                    self.known.insert(sender, from);
                }
                ways[from].push(frame, Instant::now());
            }
        }
        Ok(())
    }
}

/// The address that begins there in a frame.
fn address(frame: &[u8], begin: usize) -> Option<Address> {
    frame.get(begin..begin + 6)?.try_into().ok()
}
