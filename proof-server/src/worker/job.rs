//! One job in a worker: execute, prove, verify; or verify only. A build without the feature `prover` verifies only.

use std::sync::Arc;

use bytes::Bytes;
use sextant_protocol::{ErrorCode, Progress, ProofRecord, ServerError, encoding, proof::Circuits};
use sextant_verifier::Verifier;

#[cfg(not(feature = "prover"))]
use super::WorkerMode;
use super::{WorkerEvent, WorkerRequest, child::WorkerArgs};

#[cfg(feature = "prover")]
mod proving;

/// Takes the steps of a job.
pub(super) type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// What a worker has loaded.
pub(super) struct Prover {
    #[cfg(feature = "prover")]
    stage: proving::Stage,
    verifier: Arc<Verifier>,
}

impl Prover {
    /// Loads what the worker's mode needs.
    pub(super) async fn start(args: &WorkerArgs) -> anyhow::Result<Self> {
        let development = match args.circuits.allow_development {
            true => args.circuits.open()?.filter(|circuits| circuits.worth == Circuits::Development),
            false => None,
        };
        let verifier = tokio::task::spawn_blocking(move || {
            let verifier = match development {
                Some(circuits) => Verifier::new().allow_development_circuits(circuits.key),
                None => Verifier::new(),
            };
            // A worker is ready when nobody has to wait any more.
            verifier.warm_up();
            verifier
        });
        #[cfg(feature = "prover")]
        let stage = proving::Stage::start(args).await?;
        #[cfg(not(feature = "prover"))]
        anyhow::ensure!(
            args.mode == WorkerMode::Verify,
            "built without a prover ({} bytes planned)",
            args.memory
        );
        Ok(Self {
            #[cfg(feature = "prover")]
            stage,
            verifier: Arc::new(verifier.await?),
        })
    }

    /// Does one job; every outcome is an event.
    pub(super) async fn run(&self, request: WorkerRequest, progress: ProgressSink) -> WorkerEvent {
        let outcome = match request {
            #[cfg(feature = "prover")]
            WorkerRequest::Prove(job) => self.stage.prove(job, progress, self).await.map(proved),
            #[cfg(feature = "prover")]
            WorkerRequest::Continue(before) => self.stage.go_on(*before, progress, self).await.map(proved),
            #[cfg(feature = "prover")]
            WorkerRequest::Plan(job) => self.stage.plan(&job, progress).await.map(WorkerEvent::Planned),
            #[cfg(feature = "prover")]
            WorkerRequest::Part { job, plan, name } => {
                self.stage.part(job, &plan, &name, progress).await.map(Box::new).map(WorkerEvent::Part)
            }
            #[cfg(feature = "prover")]
            WorkerRequest::Fold { job, plan, parts } => {
                self.stage.fold(job, &plan, parts, progress, self).await
            }
            #[cfg(not(feature = "prover"))]
            WorkerRequest::Prove(_)
            | WorkerRequest::Continue(_)
            | WorkerRequest::Plan(_)
            | WorkerRequest::Part { .. }
            | WorkerRequest::Fold { .. } => {
                drop(progress);
                Err(internal("this worker verifies only"))
            }
            WorkerRequest::Verify { record } => self.verify(record).await.map(|()| WorkerEvent::Verified),
            WorkerRequest::Unknown(tag) => Err(internal(format!("this worker has no request {tag}"))),
        };
        outcome.unwrap_or_else(WorkerEvent::Failed)
    }

    async fn verify(&self, record: Bytes) -> Result<(), ServerError> {
        let decoded = encoding::decode("proof record", &record, record.len());
        let proof = decoded.map_err(|error| ServerError::new(ErrorCode::Malformed, error.to_string()))?;
        drop(record);
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

#[cfg(feature = "prover")]
fn proved(proved: super::Proved) -> WorkerEvent {
    WorkerEvent::Proved(Box::new(proved))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ServerError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| internal(error.to_string()))
}

fn internal(message: impl Into<String>) -> ServerError {
    ServerError::new(ErrorCode::Internal, message)
}
