//! One job in a worker: execute, prove, verify; or verify only.

use std::{sync::Arc, time::Instant};

use sextant_consensus::Program;
use sextant_engine::{Engine, EngineError, EngineSettings, ProgressSink, execute};
use sextant_protocol::{ErrorCode, Progress, ProofKind, ProofRecord, ServerError, proof::Circuits};
use sextant_verifier::Verifier;

use super::{ProveJob, Proved, WorkerEvent, WorkerMode, WorkerRequest};
use crate::{process, programs, time::millis};

/// What a worker has loaded.
pub(super) struct Prover {
    /// Absent in a worker that verifies only.
    engine: Option<Engine>,
    verifier: Arc<Verifier>,
    settings: EngineSettings,
}

impl Prover {
    pub(super) async fn start(mode: WorkerMode, settings: EngineSettings) -> anyhow::Result<Self> {
        let verifier = tokio::task::spawn_blocking(|| Arc::new(Verifier::new()));
        let kind = match mode {
            WorkerMode::Stark => Some(ProofKind::Stark),
            WorkerMode::Compressed => Some(ProofKind::Compressed),
            WorkerMode::Verify => None,
        };
        let engine = match kind {
            None => None,
            Some(kind) => {
                let engine = Engine::start(kind, settings.clone()).await?;
                // Part of being ready: the first proof of each program needs its key.
                for program in Program::ALL {
                    engine.warm(programs::artifact(program).elf).await?;
                }
                Some(engine)
            }
        };
        Ok(Self { engine, verifier: verifier.await?, settings })
    }

    /// Does one job; every outcome is an event.
    pub(super) async fn run(&self, request: WorkerRequest, progress: ProgressSink) -> WorkerEvent {
        let outcome = match request {
            WorkerRequest::Prove(job) => {
                self.prove(job, progress).await.map(Box::new).map(WorkerEvent::Proved)
            }
            WorkerRequest::Verify(proof) => self.verify(proof).await.map(|_| WorkerEvent::Verified),
        };
        outcome.unwrap_or_else(WorkerEvent::Failed)
    }

    async fn prove(&self, job: ProveJob, progress: ProgressSink) -> Result<Proved, ServerError> {
        let engine = self.engine.as_ref().ok_or_else(|| internal("this worker verifies only"))?;
        let program = Program::from_tag(job.program).ok_or_else(|| internal("unknown program"))?;
        let artifact = programs::artifact(program);
        let inputs = vec![job.input, job.hints];
        let start = Instant::now();

        progress(Progress::Executing { cycles: 0 });
        let execution = blocking({
            let (inputs, settings) = (inputs.clone(), self.settings.clone());
            move || execute(artifact.elf, &inputs, &settings)
        })
        .await?
        .map_err(|error| failed(&error))?;
        progress(Progress::Executing { cycles: execution.cycles });

        let proven =
            engine.prove(artifact.elf, inputs, progress.clone()).await.map_err(|error| failed(&error))?;
        let proof = ProofRecord {
            program: job.program,
            kind: job.kind,
            circuits: Circuits::Release,
            circuit_version: Verifier::circuit_version().into(),
            vk_hash: artifact.vk_hash,
            public_values: proven.public_values,
            proof: bincode::serialize(&proven.proof)
                .map_err(|error| internal(format!("proof encoding: {error}")))?,
        };

        progress(Progress::Verifying);
        let (proof, verdict) = self.check(proof).await?;
        // The prover's own proof: that it does not hold is the prover's failure, not the client's.
        verdict.map_err(|error| {
            ServerError::new(ErrorCode::ProverFailed, format!("made an invalid proof: {error}"))
        })?;
        Ok(Proved {
            proof,
            cycles: execution.cycles,
            proving_ms: millis(start.elapsed()),
            peak_memory: process::own_peak_memory(),
        })
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

/// The statement was checked natively before: a guest that refuses it now contradicts the native check.
fn failed(error: &EngineError) -> ServerError {
    match error {
        EngineError::Execution(_)
        | EngineError::ExitCode { .. }
        | EngineError::Program(_)
        | EngineError::Kind(_) => internal(error.to_string()),
        EngineError::Prover(_) => ServerError::new(ErrorCode::ProverFailed, error.to_string()),
    }
}

fn internal(message: impl Into<String>) -> ServerError {
    ServerError::new(ErrorCode::Internal, message)
}
