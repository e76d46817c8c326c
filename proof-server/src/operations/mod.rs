//! What an operator asks: is it alive, does it want requests, what has it done. HTTP on a port of its own.

mod http;
pub(crate) mod metrics;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

pub(crate) use http::serve;
pub(crate) use metrics::Metrics;
use sextant_consensus::Program;
use tokio_util::sync::CancellationToken;

use crate::{
    jobs::Jobs,
    programs,
    queue::Queues,
    worker::{breaker::Breaker, lane::Job},
};

/// What the endpoints look at.
pub(crate) struct Operations {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) proving: Arc<Queues<Job>>,
    pub(crate) verifying: Arc<Queues<Job>>,
    pub(crate) jobs: Arc<Jobs>,
    /// Of the proving lane.
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) warming: Arc<Warming>,
    pub(crate) draining: CancellationToken,
    /// Jobs waiting at which the server is busy.
    pub(crate) busy_at: usize,
    /// Forwards instead of proving: says whether there is anybody to forward to.
    pub(crate) forwarding: Option<Arc<crate::forward::Forwarding>>,
}

/// Counts what has yet to start before the server is ready.
#[derive(Debug, Default)]
pub(crate) struct Warming(AtomicUsize);

impl Warming {
    /// One more thing to wait for; it is there when the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> WarmingGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        WarmingGuard(self.clone())
    }

    fn done(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// Something that is starting.
#[derive(Debug)]
pub(crate) struct WarmingGuard(Arc<Warming>);

impl Drop for WarmingGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Operations {
    /// Whether the server wants requests; if not, why.
    fn readiness(&self) -> Result<(), String> {
        if self.draining.is_cancelled() {
            return Err("draining: it will end when its running jobs have".into());
        }
        if !self.warming.done() {
            return Err("warming up".into());
        }
        if let Some(wait) = self.breaker.open_for() {
            return Err(format!("the prover keeps failing; next try in {} s", wait.as_secs().max(1)));
        }
        if let Some(forwarding) = &self.forwarding {
            forwarding.readiness()?;
        }
        let waiting = self.proving.total();
        if waiting >= self.busy_at {
            return Err(format!("busy: {waiting} jobs wait"));
        }
        Ok(())
    }

    /// The metrics, with everything measured that is not counted as it happens.
    fn metrics_text(&self) -> String {
        for (queue, program) in Program::ALL.into_iter().enumerate() {
            self.metrics.queue_depth(programs::name(program), self.proving.len(queue));
        }
        self.metrics.queue_depth("verification", self.verifying.len(0));
        self.metrics.cache_bytes(self.jobs.cache().size().1);
        self.metrics.ready(self.readiness().is_ok());
        if let Some(forwarding) = &self.forwarding {
            forwarding.count(&self.metrics);
        }
        self.metrics.encode()
    }
}
