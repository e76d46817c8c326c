//! Shards planned, found and proven.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use sextant_protocol::Progress;

/// Takes progress events.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// Counts shards and tells.
pub(crate) struct Counts {
    progress: ProgressSink,
    planned: u32,
    found: AtomicU32,
    done: AtomicU32,
}

impl Counts {
    pub(crate) fn new(progress: ProgressSink, planned: usize) -> Self {
        let planned = u32::try_from(planned).unwrap_or(u32::MAX);
        Self { progress, planned, found: 0.into(), done: 0.into() }
    }

    pub(crate) fn found(&self) {
        self.found.fetch_add(1, Ordering::Relaxed);
        self.report();
    }

    pub(crate) fn proven(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.report();
    }

    fn report(&self) {
        let (done, found) = (self.done.load(Ordering::Relaxed), self.found.load(Ordering::Relaxed));
        let total = self.planned.max(found);
        (self.progress)(Progress::Proving { done, total });
    }
}
