//! What the system knows of the process, under the names that Prometheus's own libraries use.

use std::{fmt, fs};

use jiff::Timestamp;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

/// Bytes of a page of memory, as `/proc/self/statm` counts them.
const PAGE: u64 = 4_096;

#[derive(Debug)]
struct Process {
    /// In seconds since 1970.
    started: f64,
}

pub(super) fn register(registry: &mut Registry) {
    let started = Timestamp::now().as_millisecond() as f64 / 1e3;
    registry.register_collector(Box::new(Process { started }));
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        if let Some(seconds) = processor_seconds() {
            let metric = ConstCounter::new(seconds);
            let name = "process_cpu_seconds";
            let help = "Time of processors, of the program and of the system for it, in seconds";
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        let gauges = [
            ("process_start_time_seconds", "When it started, in seconds since 1970", Some(self.started)),
            ("process_resident_memory_bytes", "Memory that it has, in bytes", memory(1)),
            ("process_virtual_memory_bytes", "Addresses that it has, in bytes", memory(0)),
            ("process_open_fds", "Open files, connections included", open_files()),
            (
                "process_max_fds",
                "Open files that it may have",
                getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft as f64),
            ),
        ];
        for (name, help, value) in gauges {
            let Some(value) = value else { continue };
            let metric = ConstGauge::new(value);
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        Ok(())
    }
}

fn processor_seconds() -> Option<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// One of the numbers of `/proc/self/statm`, in bytes.
fn memory(field: usize) -> Option<f64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(field)?.parse().ok()?;
    Some((pages * PAGE) as f64)
}

/// Newer kernels say how many there are in the size of the folder; with others they are counted.
fn open_files() -> Option<f64> {
    let folder = "/proc/self/fd";
    match fs::metadata(folder).ok()?.len() {
        0 => Some(fs::read_dir(folder).ok()?.count() as f64),
        files => Some(files as f64),
    }
}
