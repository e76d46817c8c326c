//! One job in a worker: execute, prove, verify; or verify only. A build without the feature `prover` verifies only.

use std::sync::Arc;

use sextant_protocol::{ErrorCode, Progress, ProofRecord, ServerError};
use sextant_verifier::Verifier;

use super::{WorkerEvent, WorkerMode, WorkerRequest};

#[cfg(feature = "prover")]
mod proving;

/// Takes the steps of a job.
pub(super) type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// What a worker has loaded.
pub(super) struct Prover {
    /// Absent in a worker that verifies only.
    #[cfg(feature = "prover")]
    engine: Option<proving::Prover>,
    verifier: Arc<Verifier>,
}

impl Prover {
    /// Loads what `mode` needs; `memory` is what it may plan with, bytes.
    pub(super) async fn start(mode: WorkerMode, memory: u64) -> anyhow::Result<Self> {
        let verifier = tokio::task::spawn_blocking(|| Arc::new(Verifier::new()));
        #[cfg(feature = "prover")]
        let engine = proving::Prover::start(mode, memory).await?;
        #[cfg(not(feature = "prover"))]
        anyhow::ensure!(mode == WorkerMode::Verify, "built without a prover ({memory} bytes planned)");
        Ok(Self {
            #[cfg(feature = "prover")]
            engine,
            verifier: verifier.await?,
        })
    }

    /// Does one job; every outcome is an event.
    pub(super) async fn run(&self, request: WorkerRequest, progress: ProgressSink) -> WorkerEvent {
        let outcome = match request {
            #[cfg(feature = "prover")]
            WorkerRequest::Prove(job) => match &self.engine {
                Some(engine) => {
                    engine.prove(job, progress, self).await.map(Box::new).map(WorkerEvent::Proved)
                }
                None => Err(internal("this worker verifies only")),
            },
            #[cfg(not(feature = "prover"))]
            WorkerRequest::Prove(_) => {
                drop(progress);
                Err(internal("this worker verifies only"))
            }
            WorkerRequest::Verify(proof) => self.verify(proof).await.map(|_| WorkerEvent::Verified),
        };
        outcome.unwrap_or_else(WorkerEvent::Failed)
    }

    async fn verify(&self, proof: ProofRecord) -> Result<(), ServerError> {
        let (_, verdict) = self.check(proof).await?;
        verdict.map(|_| ()).map_err(|error| ServerError::new(ErrorCode::InvalidProof, error.to_string()))
    }

    async fn check(
        &self,
        proof: ProofRecord,
    ) -> Result<(ProofRecord, Result<(), sextant_verifier::VerifyError>), ServerError> {
        let verifier = self.verifier.clone();
        blocking(move || {
            let verdict = verifier.verify(&proof).map(|_| ());
            (proof, verdict)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ServerError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| internal(error.to_string()))
}

fn internal(message: impl Into<String>) -> ServerError {
    ServerError::new(ErrorCode::Internal, message)
}
