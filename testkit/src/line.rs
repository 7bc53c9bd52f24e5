//! A network between machines that is slow, loses packets or is cut: TAP devices, and a thread that hands on what they
//! send.

mod forward;
mod way;

use std::{
    io::{PipeWriter, pipe},
    net::Ipv4Addr,
    sync::Arc,
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use self::way::Queue;
pub use self::way::{Bottleneck, Counts, Way};
use crate::namespace::{Machine, run};

/// Frames that a machine may have sent before the thread has read them: 20 ms at 1 GB/s.
const SENT: u32 = 16_384;

/// A network of machines, each of which has the interface `line` to it. It ends when it is dropped.
///
/// An end is what a machine is plugged in with, counted from 0 as in [`Line::between`]. Each has a [`Way`] for what it
/// sends: the time to another one and back is the delay of both. At first frames are handed on as they come.
#[derive(Debug)]
pub struct Line {
    machines: Vec<Machine>,
    ways: Arc<Mutex<Vec<Queue>>>,
    thread: Option<JoinHandle<()>>,
    /// Its end is the thread's.
    stop: Option<PipeWriter>,
}

impl Line {
    /// Joins these machines, each with its address in a network of 256. It is their way to everywhere.
    ///
    /// # Errors
    /// When there is no `/dev/net/tun`, or `ip` refuses.
    pub fn between(machines: &[(&Machine, Ipv4Addr)]) -> anyhow::Result<Self> {
        let mut devices = Vec::new();
        for (end, (machine, address)) in machines.iter().enumerate() {
            devices.push(plug_in(&format!("line-{end}"), machine, *address)?);
        }
        let seeds = (1..).take(devices.len());
        let ways = Arc::new(Mutex::new(seeds.map(Queue::new).collect()));
        let (told, stop) = pipe()?;
        let thread = thread::Builder::new().name("line".into()).spawn({
            let ways = ways.clone();
            move || forward::run(&devices, &ways, &told)
        })?;
        let machines = machines.iter().map(|(machine, _)| (*machine).clone()).collect();
        Ok(Self { machines, ways, thread: Some(thread), stop: Some(stop) })
    }

    /// What frames from this end meet from now on.
    pub fn set(&self, end: usize, way: Way) {
        self.ways.lock()[end].way = way;
    }

    /// What frames from every end meet from now on.
    pub fn set_all(&self, way: Way) {
        for queue in self.ways.lock().iter_mut() {
            queue.way = way;
        }
    }

    /// Cuts this end off: what is under way from there or to there, and what comes, is dropped without a word.
    pub fn cut(&self, end: usize) {
        let mut ways = self.ways.lock();
        ways[end].is_cut = true;
        ways[end].clear();
    }

    /// Mends what [`Line::cut`] cut.
    pub fn mend(&self, end: usize) {
        self.ways.lock()[end].is_cut = false;
    }

    /// What came of the frames from this end.
    #[must_use]
    pub fn counts(&self, end: usize) -> Counts {
        self.ways.lock()[end].counts
    }

    /// How many frames from this end were lost because the thread did not come to read them: a figure is worth nothing
    /// then.
    ///
    /// # Errors
    /// When the machine can't say.
    pub fn unread(&self, end: usize) -> anyhow::Result<u64> {
        let said = run(self.machines[end].exec("cat").arg("/sys/class/net/line/statistics/tx_dropped"))?;
        Ok(said.trim().parse()?)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop = None;
        // A panic of the thread has been printed.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn plug_in(name: &str, machine: &Machine, address: Ipv4Addr) -> anyhow::Result<SyncDevice> {
    let device = DeviceBuilder::new().name(name).layer(Layer::L2).enable(false);
    let device = device.with(|options| _ = options.tx_queue_len(SENT)).build_sync()?;
    device.set_nonblocking(true)?;
    machine.give(name, "line")?;
    machine.ip(&format!("addr add {address}/24 dev line"))?;
    machine.ip("link set line up")?;
    machine.ip("route add default dev line")?;
    Ok(device)
}
