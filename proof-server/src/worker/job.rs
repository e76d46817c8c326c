//! One job in a worker: execute, prove, verify; or verify only. A build without the feature `prover` verifies only.

use std::sync::Arc;

use bytes::Bytes;
use sextant_protocol::{ErrorCode, Progress, ProofKind, ProofRecord, ServerError, encoding, proof::Circuits};
use sextant_verifier::Verifier;

use super::{WorkerEvent, WorkerMode, WorkerRequest, child::WorkerArgs};

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
        let development = development.map(|circuits| circuits.key);
        let mode = args.mode;
        let verifier = tokio::task::spawn_blocking(move || verifier(mode, development));
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

/// The verifier of a worker for `mode`, which accepts SNARKs by the development circuits with this key.
fn verifier(mode: WorkerMode, development: Option<Vec<u8>>) -> Verifier {
    let verifier = match development {
        Some(key) => Verifier::new().allow_development_circuits(key),
        None => Verifier::new(),
    };
    // Whoever makes compressed proofs is ready when none of them has to wait any more. Elsewhere SP1's verifier is set up
    // for the first compressed proof that is brought: where there are STARKs alone, never.
    if mode.makes() == Some(ProofKind::Compressed) {
        verifier.warm_up();
    }
    verifier
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What it takes, half a second and some 50 MB, is spent where compressed proofs are made.
    #[test]
    fn sp1s_verifier_is_set_up_beforehand_where_compressed_proofs_are_made() {
        for mode in [WorkerMode::Stark, WorkerMode::Groth16, WorkerMode::Verify] {
            assert!(!verifier(mode, None).is_warm(), "{}", mode.as_str());
        }
        for mode in [WorkerMode::Compressed, WorkerMode::Wrap] {
            assert!(verifier(mode, None).is_warm(), "{}", mode.as_str());
        }
    }
}
