//! Proving in a worker: its stage of the way from a statement to a proof.

use std::{
    sync::{Mutex, PoisonError},
    thread::available_parallelism,
    time::Instant,
};

use bytes::Bytes;
use sextant_artifacts::Artifact;
use sextant_consensus::{Program, public_values::Statement};
use sextant_engine::{Engine, EngineError, EngineSettings, Pace, Plan, PlannedRun, Proven, plan};
use sextant_protocol::{ErrorCode, Progress, ProofKind, ProofRecord, ServerError, proof::Circuits};
use sextant_verifier::Verifier;

use super::{
    super::{ProveJob, Proved, WorkerMode},
    ProgressSink, WorkerArgs, blocking, internal,
};
use crate::{process, programs, time::millis};

mod fit;
mod parts;
mod proofs;
#[cfg(feature = "snark")]
mod snark;

/// A statement as the guest is given it.
struct Executed {
    program: Program,
    artifact: Artifact,
    inputs: Vec<Vec<u8>>,
    /// Proofs that the guest verifies.
    proofs: Bytes,
}

impl Executed {
    fn of(job: ProveJob) -> Result<Self, ServerError> {
        let program = Program::from_tag(job.program).ok_or_else(|| internal("unknown program"))?;
        let inputs = match program {
            Program::CommitteeChange | Program::Inclusion => vec![job.input, job.hints],
            Program::Bundle | Program::Chain => vec![job.input],
        };
        Ok(Self { program, artifact: programs::artifact(program), inputs, proofs: job.proofs })
    }

    fn run(&self, plan: Plan) -> Result<PlannedRun, ServerError> {
        let run = PlannedRun::new(self.artifact.elf, self.inputs.clone(), plan);
        let run = run.map_err(|error| failed(&error))?;
        run.verifying(proofs::decoded(&self.proofs)?).map_err(|error| failed(&error))
    }
}

/// What a worker has loaded for proving.
pub(super) enum Stage {
    /// Nothing: it verifies only.
    None,
    /// From a statement to a STARK of this kind, compressed or not.
    Stark(Box<Stark>),
    /// From a compressed proof towards a SNARK.
    #[cfg(feature = "snark")]
    Snark(snark::SnarkStage),
}

/// An engine and how it does.
pub(super) struct Stark {
    kind: ProofKind,
    engine: Engine,
    settings: EngineSettings,
    limits: fit::Limits,
    /// Learned from one proof to the next.
    pace: Mutex<Pace>,
}

impl Stage {
    /// Starts the engine for the worker's mode.
    pub(super) async fn start(args: &WorkerArgs) -> anyhow::Result<Self> {
        let kind = match args.mode {
            WorkerMode::Stark => ProofKind::Stark,
            WorkerMode::Compressed => ProofKind::Compressed,
            WorkerMode::Verify => return Ok(Self::None),
            #[cfg(feature = "snark")]
            WorkerMode::Wrap | WorkerMode::Groth16 => {
                return Ok(Self::Snark(snark::SnarkStage::start(args).await?));
            }
            #[cfg(not(feature = "snark"))]
            WorkerMode::Wrap | WorkerMode::Groth16 => anyhow::bail!("built without SNARKs"),
        };
        let settings = EngineSettings::for_machine(args.memory, kind).within(args.memory_limit, kind);
        let engine = Engine::start(kind, settings.clone()).await?;
        // Part of being ready: the first proof of each program needs its key.
        for program in Program::ALL {
            engine.warm(programs::artifact(program).elf).await?;
        }
        let pace = Pace::guess(available_parallelism().map_or(1, std::num::NonZero::get)).into();
        let limits = fit::Limits { memory: args.memory_limit, seconds: args.time_limit };
        Ok(Self::Stark(Box::new(Stark { kind, engine, settings, limits, pace })))
    }

    /// Executes, proves, and verifies what was proven with `worker`'s verifier.
    pub(super) async fn prove(
        &self,
        job: ProveJob,
        progress: ProgressSink,
        worker: &super::Prover,
    ) -> Result<Proved, ServerError> {
        match self {
            Self::Stark(stark) => stark.prove(job, progress, worker).await,
            _ => Err(internal("another stage's job")),
        }
    }

    /// Goes on with what the stage before made.
    pub(super) async fn go_on(
        &self,
        before: Proved,
        progress: ProgressSink,
        worker: &super::Prover,
    ) -> Result<Proved, ServerError> {
        let start = Instant::now();
        let proof = match self {
            #[cfg(feature = "snark")]
            Self::Snark(stage) => stage.go_on(before.proof, progress, worker).await?,
            _ => {
                drop((progress, worker));
                return Err(internal("another stage's job"));
            }
        };
        #[allow(unreachable_code)] // Without SNARKs no stage goes on.
        Ok(Proved {
            proof,
            cycles: before.cycles,
            proving_ms: before.proving_ms + millis(start.elapsed()),
            peak_memory: before.peak_memory.max(process::own_peak_memory()),
        })
    }
}

impl Stark {
    async fn prove(
        &self,
        job: ProveJob,
        progress: ProgressSink,
        worker: &super::Prover,
    ) -> Result<Proved, ServerError> {
        let statement = Executed::of(job)?;
        let start = Instant::now();
        let plan = self.planned(&statement, &progress).await?;
        let estimated = self.fits(&statement, &plan, self.limits)?;

        let proving = Instant::now();
        let run = statement.run(plan)?;
        let proven = self.engine.prove(&run, progress.clone()).await.map_err(|error| failed(&error))?;
        self.learn(estimated, proving.elapsed().as_secs_f64());
        let proof = self.verified(&statement, proven, &progress, worker).await?;
        Ok(Proved {
            proof,
            cycles: run.plan().cycles,
            proving_ms: millis(start.elapsed()),
            peak_memory: process::own_peak_memory(),
        })
    }

    /// Executes the statement, and plans its proof.
    async fn planned(&self, statement: &Executed, progress: &ProgressSink) -> Result<Plan, ServerError> {
        progress(Progress::Executing { cycles: 0 });
        let plan = blocking({
            let (elf, inputs) = (statement.artifact.elf, statement.inputs.clone());
            let settings = self.settings.clone();
            move || plan(elf, &inputs, &settings)
        })
        .await?
        .map_err(|error| failed(&error))?;
        progress(Progress::Executing { cycles: plan.cycles });
        Ok(plan)
    }

    /// The record of what was proven, if it holds.
    async fn verified(
        &self,
        statement: &Executed,
        proven: Proven,
        progress: &ProgressSink,
        worker: &super::Prover,
    ) -> Result<ProofRecord, ServerError> {
        let proof = ProofRecord {
            program: statement.program.tag(),
            kind: self.kind,
            circuits: Circuits::Release,
            circuit_version: Verifier::circuit_version().into(),
            vk_hash: statement.artifact.vk_hash,
            public_values: proven.public_values,
            proof: encode(&proven.proof)?,
        };
        progress(Progress::Verifying);
        verified(proof, worker).await
    }

    /// The seconds that the proof will take, or why it is not begun.
    fn fits(&self, statement: &Executed, plan: &Plan, limits: fit::Limits) -> Result<f64, ServerError> {
        let pace = *self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let estimate = plan.estimate(self.kind, &self.settings, &pace);
        let (shards, seconds, memory) = (plan.parts.len(), estimate.seconds.round(), estimate.memory >> 20);
        tracing::info!(
            cycles = plan.cycles,
            cells = plan.cells,
            shards,
            seconds,
            memory_mib = memory,
            "planned"
        );
        let public = Statement::abi_decode(statement.program, &plan.public_values)
            .map_err(|error| internal(error.to_string()))?;
        fit::check(&public, &estimate, limits)?;
        Ok(estimate.seconds)
    }

    fn learn(&self, estimated: f64, actual: f64) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        *pace = pace.learned(estimated, actual);
    }
}

/// The record, if it holds. It is the prover's own: that it does not hold is the prover's failure, not the client's.
async fn verified(proof: ProofRecord, worker: &super::Prover) -> Result<ProofRecord, ServerError> {
    let (proof, verdict) = worker.check(proof).await?;
    verdict.map_err(|error| prover_failed(format!("made an invalid proof: {error}")))?;
    Ok(proof)
}

fn encode<T: serde::Serialize>(proof: &T) -> Result<Vec<u8>, ServerError> {
    bincode::serialize(proof).map_err(|error| internal(format!("proof encoding: {error}")))
}

/// The statement was checked natively before: a guest that refuses it now contradicts the native check.
fn failed(error: &EngineError) -> ServerError {
    match error {
        EngineError::Execution(_)
        | EngineError::ExitCode { .. }
        | EngineError::Program(_)
        | EngineError::Plan(_)
        | EngineError::Part(_)
        | EngineError::Kind(_)
        | EngineError::Deferred { .. } => internal(error.to_string()),
        // The code says already who failed.
        EngineError::Prover(reason) => prover_failed(format!("{reason:#}")),
    }
}

/// As where it dies of it: another try, or another server, may do better.
fn prover_failed(reason: String) -> ServerError {
    ServerError::retryable(ErrorCode::ProverFailed, reason, 1_000)
}
