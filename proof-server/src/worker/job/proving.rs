//! Proving in a worker.

use std::time::Instant;

use sextant_consensus::Program;
use sextant_engine::{Engine, EngineError, EngineSettings, execute};
use sextant_protocol::{ErrorCode, Progress, ProofKind, ProofRecord, ServerError, proof::Circuits};
use sextant_verifier::Verifier;

use super::{
    super::{ProveJob, Proved, WorkerMode},
    ProgressSink, blocking, internal,
};
use crate::{process, programs, time::millis};

/// A started engine.
pub(super) struct Prover {
    engine: Engine,
    settings: EngineSettings,
}

impl Prover {
    /// The engine for `mode`; none for one that only verifies.
    pub(super) async fn start(mode: WorkerMode, memory: u64) -> anyhow::Result<Option<Self>> {
        let kind = match mode {
            WorkerMode::Stark => ProofKind::Stark,
            WorkerMode::Compressed => ProofKind::Compressed,
            WorkerMode::Verify => return Ok(None),
        };
        let settings = EngineSettings::for_machine(memory);
        let engine = Engine::start(kind, settings.clone()).await?;
        // Part of being ready: the first proof of each program needs its key.
        for program in Program::ALL {
            engine.warm(programs::artifact(program).elf).await?;
        }
        Ok(Some(Self { engine, settings }))
    }

    /// Executes, proves, and verifies what was proven with `worker`'s verifier.
    pub(super) async fn prove(
        &self,
        job: ProveJob,
        progress: ProgressSink,
        worker: &super::Prover,
    ) -> Result<Proved, ServerError> {
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

        let proven = self
            .engine
            .prove(artifact.elf, inputs, progress.clone())
            .await
            .map_err(|error| failed(&error))?;
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
        let (proof, verdict) = worker.check(proof).await?;
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
