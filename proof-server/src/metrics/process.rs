//! What every scraper expects to know of a process, under the names that all programs use. Read from `/proc`; where the
//! system has none, all is 0.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};

/// Ticks of processor time in a second: what Linux tells user space on every machine.
const TICKS: f64 = 100.0;
const PAGE: i64 = 4096;

/// This process.
#[derive(Default)]
pub(super) struct ProcessMetrics {
    cpu: Counter<f64, AtomicU64>,
    resident: Gauge,
    open_files: Gauge,
    started: Gauge<f64, AtomicU64>,
}

impl ProcessMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Processor time used by the server itself, without its workers";
        registry.register_with_unit("process_cpu", help, Unit::Seconds, self.cpu.clone());
        let help = "Resident memory of the server itself";
        registry.register_with_unit("process_resident_memory", help, Unit::Bytes, self.resident.clone());
        registry.register("process_open_fds", "Open file descriptors", self.open_files.clone());
        let help = "When the server was started, since the epoch";
        registry.register_with_unit("process_start_time", help, Unit::Seconds, self.started.clone());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.started.set(now.as_secs_f64());
    }

    pub(super) fn measure(&self) {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name may contain anything; fields are counted after its closing bracket.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let field = |number: usize| fields.split_whitespace().nth(number).and_then(|v| v.parse::<i64>().ok());
        // Fields 14, 15 and 24 of proc(5).
        let ticks = field(11).unwrap_or_default() + field(12).unwrap_or_default();
        self.cpu.inner().store((ticks as f64 / TICKS).to_bits(), Ordering::Relaxed);
        self.resident.set(field(21).unwrap_or_default() * PAGE);
        let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        self.open_files.set(i64::try_from(files).unwrap_or(i64::MAX));
    }
}
