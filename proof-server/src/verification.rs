//! Verification: a lane of its own, so that it never waits for proving, and a process of its own, because a stranger's
//! proof goes through a decoder and a verifier that were not written for strangers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use sextant_artifacts::CIRCUIT_VERSION;
use sextant_consensus::public_values::Statement;
use sextant_protocol::{ErrorCode, ProofKind, ServerError, proof::ProofView};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::{
    access::Identity,
    audience::Audience,
    blocking::blocking,
    errors::shutting_down,
    pace::Pace,
    programs,
    queue::{NoPlace, Queues},
    worker::{WorkerEvent, WorkerMode, WorkerRequest, lane::Job},
};

/// Verifies proofs in the verification lane.
pub(crate) struct Verification {
    queue: Arc<Queues<Job>>,
    pace: Pace,
}

impl Verification {
    pub(crate) fn new(queue: Arc<Queues<Job>>) -> Self {
        let pace = Pace::default();
        // Verifying takes parts of a second; nothing was measured yet.
        for _ in 0..32 {
            pace.note(Duration::from_millis(200));
        }
        Self { queue, pace }
    }

    /// Verifies an encoded proof record against the pinned programs, in the turn of `identity`.
    pub(crate) async fn verify(&self, record: Bytes, identity: Identity) -> Result<(), ServerError> {
        let looked_at = record.clone();
        let digest = blocking(move || {
            check_cheaply(&looked_at)?;
            Ok(Sha256::digest(&looked_at).into())
        })
        .await??;
        let (reply, outcome) = oneshot::channel();
        let queued = Instant::now();
        let job = Job {
            stages: &[WorkerMode::Verify],
            digest,
            request: WorkerRequest::Verify { record },
            // The protocol has no steps for verification.
            audience: Audience::new(identity),
            queued,
            reply,
        };
        let _ticket = self.queue.push(0, job).map_err(|reason| match reason {
            NoPlace::Closed => shutting_down(),
            NoPlace::Full | NoPlace::Share(_) => ServerError::retryable(
                ErrorCode::Busy,
                "too many proofs wait for verification",
                self.pace.retry_after_ms(self.queue.total()),
            ),
        })?;
        match outcome.await.map_err(|_| shutting_down())?? {
            WorkerEvent::Verified => {
                self.pace.note(queued.elapsed() / u32::try_from(self.queue.total() + 1).unwrap_or(1));
                Ok(())
            }
            _ => Err(ServerError::new(ErrorCode::Internal, "the worker answered something else")),
        }
    }
}

/// What can be told without the worker, so that rubbish costs it nothing; the worker repeats it.
fn check_cheaply(record: &[u8]) -> Result<(), ServerError> {
    let invalid = |reason: String| Err(ServerError::new(ErrorCode::InvalidProof, reason));
    let proof = match ProofView::of(record) {
        Ok(proof) => proof,
        Err(error) => return Err(ServerError::new(ErrorCode::Malformed, error.to_string())),
    };
    let Some(program) = proof.program() else {
        return invalid(format!("unknown program tag {}", proof.program));
    };
    if proof.vk_hash != programs::artifact(program).vk_hash {
        return invalid(format!("the verifying key is not the pinned one of {program}"));
    }
    if proof.kind == ProofKind::Plonk {
        let message = format!("{} proofs are not verified by this version", proof.kind);
        return Err(ServerError::new(ErrorCode::Unsupported, message));
    }
    if proof.circuit_version != CIRCUIT_VERSION {
        let got: String = proof.circuit_version.chars().take(32).collect();
        return invalid(format!("circuit version {got:?} is not {CIRCUIT_VERSION:?}"));
    }
    if let Err(error) = Statement::abi_decode(program, proof.public_values) {
        return invalid(format!("public values: {error}"));
    }
    Ok(())
}
