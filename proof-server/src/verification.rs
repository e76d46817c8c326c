//! Verification for clients: a lane of its own, so that it never waits for proving, and a process of its own,
//! because a stranger's proof goes through a decoder and a verifier that were not written for strangers.

use std::sync::Arc;

use sextant_protocol::{ErrorCode, ProofRecord, Response, ServerError};
use tokio::sync::oneshot;

use crate::{
    programs,
    progress::ProgressSender,
    queue::Queues,
    sub_server::shutting_down,
    worker::{WorkerEvent, WorkerMode, WorkerRequest, lane::Job},
};

/// Verifies proofs in the verification lane.
pub(crate) struct Verification {
    queue: Arc<Queues<Job>>,
}

impl Verification {
    pub(crate) fn new(queue: Arc<Queues<Job>>) -> Self {
        Self { queue }
    }

    /// Verifies `proof` against the pinned programs.
    pub(crate) async fn verify(&self, proof: ProofRecord) -> Result<Response, ServerError> {
        let invalid = |reason: String| ServerError::new(ErrorCode::InvalidProof, reason);
        // The cheapest checks here, so that rubbish costs the worker nothing; the worker repeats them.
        let program =
            proof.program().ok_or_else(|| invalid(format!("unknown program tag {}", proof.program)))?;
        if proof.vk_hash != programs::artifact(program).vk_hash {
            return Err(invalid(format!("the verifying key is not the pinned one of {program}")));
        }
        if WorkerMode::for_kind(proof.kind).is_none() {
            let message = format!("{} proofs are not verified by this version", proof.kind);
            return Err(ServerError::new(ErrorCode::Unsupported, message));
        }
        let (reply, outcome) = oneshot::channel();
        let job = Job {
            mode: WorkerMode::Verify,
            request: WorkerRequest::Verify(proof),
            // The protocol has no steps for verification.
            progress: ProgressSender::nowhere(),
            reply,
        };
        let _ticket = self.queue.push(0, job).map_err(|_| {
            ServerError::retryable(ErrorCode::Busy, "too many proofs wait for verification", 1_000)
        })?;
        match outcome.await.map_err(|_| shutting_down())?? {
            WorkerEvent::Verified => Ok(Response::Verified),
            _ => Err(ServerError::new(ErrorCode::Internal, "the worker answered something else")),
        }
    }
}
