//! What a lane tells the rest of the server of its worker: whether one starts at all, and how many jobs it has.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use super::WorkerMode;

/// The state of one lane.
#[derive(Debug, Default)]
pub(crate) struct Health {
    running: AtomicUsize,
    failed: Mutex<Option<(WorkerMode, String)>>,
}

/// A job that a worker is at, until dropped.
#[derive(Debug)]
pub(crate) struct Running(Arc<Health>);

impl Health {
    /// A worker has a job.
    pub(crate) fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self.clone())
    }

    /// Jobs that a worker is at.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// A worker of `mode` has started, or not.
    pub(crate) fn started(&self, mode: WorkerMode, outcome: Result<(), String>) {
        *self.failed() = outcome.err().map(|reason| (mode, reason));
    }

    /// The mode of the last worker that should have started, if it did not.
    pub(crate) fn missing(&self) -> Option<WorkerMode> {
        self.failed().as_ref().map(|(mode, _)| *mode)
    }

    /// Whether the last worker that should have started has; if not, why not.
    pub(crate) fn check(&self) -> Result<(), String> {
        match &*self.failed() {
            None => Ok(()),
            Some((mode, reason)) => Err(format!("no {} worker starts: {reason}", mode.as_str())),
        }
    }

    fn failed(&self) -> MutexGuard<'_, Option<(WorkerMode, String)>> {
        // Nothing panics while it holds the lock.
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
