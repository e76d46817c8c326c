//! A proof in parts, for a fleet: what it is made of, one of its parts, and parts put together.
//!
//! Plans and parts come from other machines and are believed in nothing: the engine verifies each part that it goes on with,
//! and refuses what is of another run.

use std::time::Instant;

use serde::de::DeserializeOwned;
use sextant_engine::{EngineError, FoldedPart, PlannedRun, Proven, ShardPart};
use sextant_protocol::{ErrorCode, ProofKind, ServerError, proof::MAX_RECORD};

use super::{
    super::{
        super::{MadePart, Planned, ProveJob, Proved, WorkerEvent},
        ProgressSink, Prover, internal,
    },
    Executed, Stage, Stark, encode, failed, fit,
};
use crate::{process, time::millis};

impl Stage {
    /// Executes a statement, and says which parts its proof has.
    pub(in super::super) async fn plan(
        &self,
        job: &ProveJob,
        progress: ProgressSink,
    ) -> Result<Planned, ServerError> {
        let stark = self.stark()?;
        let statement = Executed::of(job.clone())?;
        let plan = stark.planned(&statement, &progress).await?;
        // How long it would take here says nothing: others make most of it.
        stark.fits(&statement, &plan, fit::Limits { seconds: u64::MAX, ..stark.limits })?;
        let parts = plan.parts.iter().map(ToString::to_string).collect();
        Ok(Planned { plan: encode(&plan)?.into(), parts })
    }

    /// Makes a part.
    pub(in super::super) async fn part(
        &self,
        job: ProveJob,
        plan: &[u8],
        name: &str,
        progress: ProgressSink,
    ) -> Result<MadePart, ServerError> {
        let (stark, start) = (self.stark()?, Instant::now());
        let run = planned_run(job, plan)?.1;
        let name = name.parse().map_err(|error| refused(format!("{error}")))?;
        let shard = stark.engine.prove_part(&run, name, progress).await.map_err(|error| blamed(&error))?;
        let part = match stark.kind {
            ProofKind::Stark => encode(&shard)?,
            _ => encode(&stark.engine.normalize(&run, &shard).await.map_err(|error| blamed(&error))?)?,
        };
        Ok(MadePart {
            part: part.into(),
            proving_ms: millis(start.elapsed()),
            peak_memory: process::own_peak_memory(),
        })
    }

    /// Puts parts together: to another part, or, where they are all there are, to the proof.
    pub(in super::super) async fn fold(
        &self,
        job: ProveJob,
        plan: &[u8],
        parts: Vec<MadePart>,
        progress: ProgressSink,
        worker: &Prover,
    ) -> Result<WorkerEvent, ServerError> {
        let (stark, start) = (self.stark()?, Instant::now());
        let (statement, run) = planned_run(job, plan)?;
        let before: u64 = parts.iter().map(|part| part.proving_ms).sum();
        let largest = parts.iter().map(|part| part.peak_memory).max().unwrap_or_default();
        let spent = || (before + millis(start.elapsed()), largest.max(process::own_peak_memory()));
        match stark.put_together(&run, parts, progress.clone()).await? {
            Together::All(proven) => {
                let proof = stark.verified(&statement, proven, &progress, worker).await?;
                let ((proving_ms, peak_memory), cycles) = (spent(), run.plan().cycles);
                Ok(WorkerEvent::Proved(Proved { proof, cycles, proving_ms, peak_memory }.into()))
            }
            Together::Some(part) => {
                let (part, (proving_ms, peak_memory)) = (encode(&part)?.into(), spent());
                Ok(WorkerEvent::Part(MadePart { part, proving_ms, peak_memory }.into()))
            }
        }
    }

    fn stark(&self) -> Result<&Stark, ServerError> {
        match self {
            Self::Stark(stark) => Ok(stark),
            _ => Err(internal("another stage's job")),
        }
    }
}

/// What parts make.
enum Together {
    All(Proven),
    Some(FoldedPart),
}

impl Stark {
    async fn put_together(
        &self,
        run: &PlannedRun,
        parts: Vec<MadePart>,
        progress: ProgressSink,
    ) -> Result<Together, ServerError> {
        if self.kind == ProofKind::Stark {
            let shards = read_all::<ShardPart>(&parts)?;
            let proven = self.engine.assemble(run, shards).await;
            return proven.map(Together::All).map_err(|error| blamed(&error));
        }
        let folded =
            self.engine.fold(run, read_all(&parts)?, progress).await.map_err(|error| blamed(&error))?;
        if folded.label.first > 1 || (folded.label.last as usize) < run.plan().parts.len() {
            return Ok(Together::Some(folded));
        }
        self.engine.finish(run, folded).await.map(Together::All).map_err(|error| blamed(&error))
    }
}

fn planned_run(job: ProveJob, plan: &[u8]) -> Result<(Executed, PlannedRun), ServerError> {
    let statement = Executed::of(job)?;
    let run = PlannedRun::new(statement.artifact.elf, statement.inputs.clone(), read("the plan", plan)?);
    let run = run.map_err(|error| blamed(&error))?;
    Ok((statement, run))
}

fn read_all<T: DeserializeOwned>(parts: &[MadePart]) -> Result<Vec<T>, ServerError> {
    parts.iter().map(|made| read("a part", &made.part)).collect()
}

/// What another machine encoded.
fn read<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, ServerError> {
    use bincode::Options;
    // What `bincode::serialize` writes, and nothing left over.
    let options = bincode::DefaultOptions::new().with_fixint_encoding().with_limit(MAX_RECORD as u64);
    options
        .reject_trailing_bytes()
        .deserialize(bytes)
        .map_err(|error| refused(format!("{what} does not decode: {error}")))
}

/// What was given is refused, by name, where it is that.
fn blamed(error: &EngineError) -> ServerError {
    match error {
        EngineError::Plan(_) | EngineError::Part(_) => refused(error.to_string()),
        _ => failed(error),
    }
}

fn refused(reason: String) -> ServerError {
    ServerError::new(ErrorCode::InvalidProof, reason)
}
