//! A sub-server: everything between a prove request for one program and its answer.
//!
//! Cheap checks come first, then the whole statement natively, and only what passes goes into the queue: a garbage
//! request never reaches a prover.

use std::{sync::Arc, time::Instant};

use sextant_consensus::Program;
use sextant_protocol::{
    ErrorCode, Progress, ProveRequest, Response, ServerError,
    request::{ProgramInfo, ProvingCost},
};
use tokio::sync::{Semaphore, oneshot};

use crate::{
    programs,
    progress::ProgressSender,
    queue::Queues,
    time::millis,
    witness,
    worker::{ProveJob, Proved, WorkerEvent, WorkerMode, WorkerRequest, lane::Job},
};

/// What a client is told to wait before it asks a busy server again, milliseconds.
const BUSY_RETRY_MS: u64 = 15_000;

/// Proves statements of one program.
pub(crate) struct SubServer {
    program: Program,
    /// Shared by the sub-servers of one worker; `queue` is this one's.
    queues: Arc<Queues<Job>>,
    queue: usize,
    /// Native checks running at once.
    checks: Arc<Semaphore>,
    max_input: usize,
}

impl SubServer {
    pub(crate) fn new(
        program: Program,
        queues: Arc<Queues<Job>>,
        queue: usize,
        checks: Arc<Semaphore>,
        max_input: usize,
    ) -> Self {
        Self { program, queues, queue, checks, max_input }
    }

    /// The program and its queue, for clients.
    pub(crate) fn info(&self) -> ProgramInfo {
        let artifact = programs::artifact(self.program);
        ProgramInfo {
            program: self.program.tag(),
            vk_hash: artifact.vk_hash,
            elf_sha256: artifact.elf_sha256,
            queued: count(self.queues.len(self.queue)),
            queue_capacity: count(self.queues.capacity()),
        }
    }

    /// Checks the statement, waits for the worker, and returns the proof. Dropped half-way it leaves the queue or
    /// ends the job.
    pub(crate) async fn prove(
        &self,
        request: ProveRequest,
        progress: ProgressSender,
    ) -> Result<Response, ServerError> {
        let mode = WorkerMode::for_kind(request.kind).ok_or_else(|| {
            ServerError::new(
                ErrorCode::Unsupported,
                format!("{} proofs are not made by this version", request.kind),
            )
        })?;
        if request.input.bytes.len() > self.max_input {
            let (got, limit) = (request.input.bytes.len(), self.max_input);
            let message = format!("statement input of {got} bytes exceeds the limit of {limit}");
            return Err(ServerError::new(ErrorCode::TooLarge, message));
        }
        // Before the check already: a full server should not spend more on a request than on saying so.
        if self.queues.len(self.queue) >= self.queues.capacity() {
            return Err(busy());
        }
        progress.send(Progress::Checking);
        let (input_digest, kind) = (request.input.digest(), request.kind);
        let (input, checked) = self.check(request.input.bytes).await?;
        let public_values = checked.statement.abi_encode();

        let (reply, outcome) = oneshot::channel();
        let job = Job {
            mode,
            request: WorkerRequest::Prove(ProveJob {
                program: self.program.tag(),
                kind,
                input,
                hints: checked.hints,
            }),
            progress: progress.clone(),
            reply,
        };
        let queued = Instant::now();
        // Held until the outcome is there: dropping it takes a waiting job out of the queue.
        let _ticket = self.queues.push(self.queue, job).map_err(|_| busy())?;
        let event = outcome.await.map_err(|_| shutting_down())??;
        let WorkerEvent::Proved(proved) = event else {
            return Err(ServerError::new(ErrorCode::Internal, "the worker answered something else"));
        };
        let Proved { proof, cycles, proving_ms, peak_memory } = *proved;
        if proof.public_values != public_values {
            // Guest and native check are the same code; this is a defect, and the proof is of no use to the client.
            return Err(ServerError::new(
                ErrorCode::Internal,
                "the proof states something else than the native check",
            ));
        }
        progress.send(Progress::Done);
        let queued_ms = millis(queued.elapsed()).saturating_sub(proving_ms);
        let cost = ProvingCost { cycles, queued_ms, proving_ms, peak_memory };
        Ok(Response::Proof { proof, input_digest, cost })
    }

    async fn check(&self, input: Vec<u8>) -> Result<(Vec<u8>, witness::Checked), ServerError> {
        let program = self.program;
        let _permit = self.checks.acquire().await.map_err(|_| shutting_down())?;
        tokio::task::spawn_blocking(move || witness::check(program, &input).map(|checked| (input, checked)))
            .await
            .map_err(|error| ServerError::new(ErrorCode::Internal, format!("native check: {error}")))?
            .map_err(|error| ServerError::new(ErrorCode::InvalidStatement, error.to_string()))
    }
}

fn busy() -> ServerError {
    ServerError::retryable(ErrorCode::Busy, "the queue is full", BUSY_RETRY_MS)
}

pub(crate) fn shutting_down() -> ServerError {
    ServerError::new(ErrorCode::ShuttingDown, "the server is shutting down")
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
