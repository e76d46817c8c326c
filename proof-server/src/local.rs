//! Proofs made by this server's own worker: a place in the queue, then the lane.

use std::{sync::Arc, time::Instant};

use sextant_protocol::{ErrorCode, ProofAnswer, ServerError};
use tokio::sync::oneshot;

use crate::{
    access::Identity,
    checked::CheckedRequest,
    errors::shutting_down,
    pace::Pace,
    queue::{NoPlace, Queues, Ticket},
    time::millis,
    worker::{
        ProveJob, WorkerEvent, WorkerMode, WorkerRequest,
        health::Health,
        lane::{Job, Outcome},
    },
};

/// The way to the worker, for one program.
pub(crate) struct LocalProver {
    /// Shared by the sub-servers of one worker; `queue` is this one's.
    pub(crate) queues: Arc<Queues<Job>>,
    pub(crate) queue: usize,
    /// How long proofs take lately.
    pub(crate) pace: Arc<Pace>,
    /// Of the lane.
    pub(crate) health: Arc<Health>,
}

/// A job in the queue or with the worker. Dropping it takes it out of the queue, or ends it.
pub(crate) struct Queued {
    request: CheckedRequest,
    outcome: oneshot::Receiver<Outcome>,
    since: Instant,
    pace: Arc<Pace>,
    _ticket: Ticket<Job>,
}

impl Queued {
    /// Waits for the worker and returns the proof.
    pub(crate) async fn proof(self) -> Result<ProofAnswer, ServerError> {
        let event = self.outcome.await.map_err(|_| shutting_down())??;
        let WorkerEvent::Proved(proved) = event else {
            return Err(ServerError::new(ErrorCode::Internal, "the worker answered something else"));
        };
        self.pace.note(std::time::Duration::from_millis(proved.proving_ms));
        let queued_ms = millis(self.since.elapsed()).saturating_sub(proved.proving_ms);
        self.request.answer(*proved, queued_ms).await
    }
}

impl LocalProver {
    /// Jobs waiting, and how many may.
    pub(crate) fn depth(&self) -> (usize, usize) {
        (self.queues.len(self.queue), self.queues.capacity(self.queue))
    }

    /// Jobs that the worker is at, of whichever program: they are in the way of this one's.
    pub(crate) fn running(&self) -> usize {
        self.health.running()
    }

    /// Whether a job of `identity` would be taken now.
    pub(crate) fn has_place(&self, identity: &Identity) -> Result<(), ServerError> {
        self.queues.has_place(self.queue, identity).map_err(|reason| self.no_place(reason))
    }

    /// Whether `identity` may wait for one more of the jobs that are here already.
    pub(crate) fn may_join(&self, identity: &Identity) -> Result<(), ServerError> {
        self.queues.may_join(self.queue, identity).map_err(|reason| self.no_place(reason))
    }

    /// A job has got another client: it may be its turn earlier.
    pub(crate) fn reorder(&self) {
        self.queues.reorder();
    }

    /// Takes a place in the queue.
    pub(crate) fn enqueue(&self, mut request: CheckedRequest) -> Result<Queued, ServerError> {
        let kind = request.request.kind;
        let (reply, outcome) = oneshot::channel();
        let since = Instant::now();
        let job = Job {
            stages: WorkerMode::stages(kind),
            request: WorkerRequest::Prove(ProveJob {
                program: request.request.input.program,
                kind,
                input: std::mem::take(&mut request.request.input.bytes),
                hints: request.checked.hints.clone(),
            }),
            digest: request.key.job().0,
            audience: request.audience.clone(),
            queued: since,
            reply,
        };
        let ticket = self.queues.push(self.queue, job).map_err(|reason| self.no_place(reason))?;
        Ok(Queued { request, outcome, since, pace: self.pace.clone(), _ticket: ticket })
    }

    fn no_place(&self, reason: NoPlace) -> ServerError {
        let busy = |message: String, waiting| {
            ServerError::retryable(ErrorCode::Busy, message, self.pace.retry_after_ms(waiting))
        };
        match reason {
            // The jobs of all programs are in the way.
            NoPlace::Full => busy("the queue is full".into(), self.queues.total()),
            NoPlace::Share(own) => busy(format!("{own} of your requests wait in this queue already"), own),
            NoPlace::Closed => shutting_down(),
        }
    }
}
