//! Proofs made by this server's own worker: a place in the queue, then the lane.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use sextant_protocol::{ErrorCode, ProofAnswer, ProofRecord, ServerError, StatementInput, encoding};
use tokio::sync::oneshot;

use crate::{
    access::Identity,
    checked::{CheckedRequest, Expected, Source},
    errors::shutting_down,
    metrics::Work,
    pace::Pace,
    queue::{NoPlace, Queues, Ticket},
    time::millis,
    traces::Kind,
    worker::{
        ProveJob, Proved, WorkerEvent, WorkerMode, WorkerRequest,
        course::{Course, Outcome},
        health::Health,
        lane::Job,
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
    expected: Expected,
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
        if proved.proving_ms > 0 {
            // Else it was made before.
            self.pace.note(std::time::Duration::from_millis(proved.proving_ms));
        }
        let queued_ms = millis(self.since.elapsed()).saturating_sub(proved.proving_ms);
        self.expected.answer(*proved, queued_ms).await
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
    pub(crate) fn enqueue(&self, request: CheckedRequest) -> Result<Queued, ServerError> {
        let CheckedRequest { source, expected, audience, .. } = request;
        let kind = expected.key.kind;
        let (stages, request) = match source {
            Source::Statement { input, checked } => {
                let (program, hints) = (input.program, checked.hints.clone());
                let job = ProveJob { program, kind, input: input.bytes, hints, proofs: Bytes::new() };
                (WorkerMode::stages(kind), WorkerRequest::Prove(job))
            }
            Source::Proofs { input, proofs } => {
                let StatementInput { program, bytes: input } = input;
                let job = ProveJob { program, kind, input, hints: Vec::new(), proofs };
                (WorkerMode::stages(kind), WorkerRequest::Prove(job))
            }
            Source::Compressed(record) => {
                (WorkerMode::after_compressing(kind), WorkerRequest::Continue(Box::new(brought(&record)?)))
            }
        };
        let (reply, outcome) = oneshot::channel();
        let since = Instant::now();
        let waiting = audience.trace().span("queue", Kind::Internal);
        let job = Job {
            course: Course {
                stages,
                request,
                making: Some(expected.key),
                work: Work::new(expected.program.tag(), kind),
                digest: expected.key.job().0,
            },
            audience,
            queued: since,
            waiting,
            reply,
        };
        let ticket = self.queues.push(self.queue, job).map_err(|reason| self.no_place(reason))?;
        Ok(Queued { expected, outcome, since, pace: self.pace.clone(), _ticket: ticket })
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

/// A proof that somebody has brought, as if a worker here had made it. What that took is not known.
fn brought(record: &[u8]) -> Result<Proved, ServerError> {
    let proof: ProofRecord = encoding::decode("proof record", record, record.len())
        .map_err(|error| ServerError::new(ErrorCode::Internal, error.to_string()))?;
    Ok(Proved { proof, cycles: 0, proving_ms: 0, peak_memory: 0 })
}
