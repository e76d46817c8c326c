//! The proving engine: SP1's provers, arranged for small programs on small machines.
//!
//! SP1 brings a distributed prover whose local node sets up everything it might need and cuts every program into at
//! least two shards. This crate drives the same provers directly: [`plan()`] runs a guest and tells what its proof takes,
//! `records` cuts the run into as few shards as the circuits and the memory allow, `core` proves shards with keys that
//! are kept, `compress` folds shard proofs into one with only the recursion keys that folding needs (`recursion_keys`).
//!
//! Nothing here decides whether a proof is right: the caller verifies what comes out. SP1 panics where something is
//! wrong inside, and work cannot be cancelled, so whoever calls [`Engine::prove`] lives in a process that may die.

mod compress;
mod core;
#[cfg(feature = "snark")]
pub mod groth16;
mod plan;
mod records;
mod recursion_keys;
mod settings;
mod wrap;

use std::{
    borrow::Borrow,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

pub use plan::{Estimate, Pace, Plan, plan};
pub use settings::{ALLOCATOR_ENVIRONMENT, EngineSettings};
use sextant_protocol::{Progress, ProofKind};
use sp1_core_executor::SplitOpts;
use sp1_hypercube::{
    SP1VerifyingKey,
    air::{PublicValues, ShardRange},
};
use sp1_primitives::SP1Field;
use sp1_prover_types::Artifact;
use sp1_verifier::SP1Proof;
use tokio::{sync::mpsc, task::JoinSet};
pub use wrap::{Wrapped, Wrapper};

use compress::Compressor;
use core::{CoreKey, CoreProver, CoreShardProof};
use records::{Places, Shard};

/// A boxed future. Boxing keeps SP1's generic code in this crate: the body of a plain `async fn` is compiled in
/// whatever crate awaits it, minutes each time.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// Takes progress events.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// Why the engine could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The ELF does not load.
    #[error("program: {0}")]
    Program(String),
    /// The guest could not be run to its end.
    #[error("execution: {0}")]
    Execution(String),
    /// The guest ended by itself, but not well.
    #[error("the guest ended with exit code {code}: {reason}")]
    ExitCode {
        /// Its exit code.
        code: u32,
        /// What it wrote to stderr.
        reason: String,
    },
    /// This engine does not make that kind of proof.
    #[error("this worker does not make {0} proofs")]
    Kind(ProofKind),
    /// SP1 gave up.
    #[error("prover: {0:#}")]
    Prover(anyhow::Error),
}

/// A proof fresh from the engine, not yet verified.
pub struct Proven {
    /// The proof.
    pub proof: SP1Proof,
    /// What the guest committed, by the prover's word.
    pub public_values: Vec<u8>,
}

/// A started engine for one kind of proof; makes one proof at a time.
pub struct Engine {
    prover: Arc<Prover>,
    settings: EngineSettings,
}

struct Prover {
    core: CoreProver,
    /// Absent in an engine for core proofs.
    compressor: Option<Compressor>,
}

/// A shard's share of the final proof.
struct Part {
    range: ShardRange,
    precompile: bool,
    proof: PartProof,
}

#[allow(clippy::large_enum_variant)] // A handful at a time, moved once.
enum PartProof {
    Core(CoreShardProof),
    Normalized(Artifact),
}

impl Engine {
    /// Starts the engine: at once for STARKs, in tens of seconds for compressed proofs.
    ///
    /// # Errors
    /// [`EngineError::Kind`] for a kind that is not made here, [`EngineError::Prover`] if SP1 does not start.
    pub fn start(kind: ProofKind, settings: EngineSettings) -> Work<'static, Self> {
        Box::pin(async move {
            let core = CoreProver::new(settings.parallel_shards);
            let compressor = match kind {
                ProofKind::Stark => None,
                ProofKind::Compressed => {
                    Some(Compressor::start(&core, &settings).await.map_err(EngineError::Prover)?)
                }
                ProofKind::Groth16 | ProofKind::Plonk => return Err(EngineError::Kind(kind)),
            };
            Ok(Self { prover: Arc::new(Prover { core, compressor }), settings })
        })
    }

    /// Makes the key of a program before the first proof of it needs it: seconds.
    ///
    /// # Errors
    /// [`EngineError::Program`] if the ELF does not load.
    pub fn warm<'a>(&'a self, elf: &'a [u8]) -> Work<'a, ()> {
        Box::pin(async move {
            self.prover.core.key(&plan::program(elf)?).await;
            Ok(())
        })
    }

    /// Proves `elf` on `inputs` as `plan` says, reporting shards and foldings to `progress`.
    ///
    /// # Errors
    /// [`EngineError::Execution`] or [`EngineError::ExitCode`] if the guest does not end well,
    /// [`EngineError::Prover`] with SP1's reason.
    pub fn prove<'a>(
        &'a self,
        elf: &'a [u8],
        inputs: Vec<Vec<u8>>,
        plan: &'a Plan,
        progress: ProgressSink,
    ) -> Work<'a, Proven> {
        Box::pin(self.prove_all(elf, inputs, plan, progress))
    }

    async fn prove_all(
        &self,
        elf: &[u8],
        inputs: Vec<Vec<u8>>,
        plan: &Plan,
        progress: ProgressSink,
    ) -> Result<Proven, EngineError> {
        let program = plan::program(elf)?;
        let key = self.prover.core.key(&program).await;

        let (shards, mut traced) = mpsc::channel::<Shard>(1);
        let opts = self.settings.core_opts_for(plan);
        let split = SplitOpts::new(&self.settings.core_opts(), program.instructions.len(), false);
        let places = Places::new(self.settings.parallel_shards + self.settings.shards_ahead);
        let generating = tokio::task::spawn_blocking(move || {
            records::generate(&program, &inputs, &opts, &split, &places, |shard| {
                shards.blocking_send(shard).is_ok()
            })
        });
        let counts = Arc::new(Counts::new(progress.clone(), plan.shards));
        let (mut proving, mut parts) = (JoinSet::new(), Vec::new());
        while let Some(shard) = traced.recv().await {
            counts.found();
            if proving.len() >= self.settings.parallel_shards {
                parts.extend(join(&mut proving).await?);
            }
            let (prover, key, counts) = (self.prover.clone(), key.clone(), counts.clone());
            proving.spawn(async move {
                let part = prover.prove_shard(key, shard).await;
                counts.proven();
                part
            });
        }
        let public_values =
            generating.await.map_err(|error| EngineError::Prover(anyhow::anyhow!("tracing: {error}")))??;
        while let Some(part) = join(&mut proving).await? {
            parts.push(part);
        }
        let proof = self.assemble(parts, &progress).await.map_err(EngineError::Prover)?;
        Ok(Proven { proof, public_values })
    }

    /// Puts the parts into the order that SP1 wants and makes one proof of them.
    async fn assemble(&self, mut parts: Vec<Part>, progress: &ProgressSink) -> anyhow::Result<SP1Proof> {
        parts.sort_by_key(|part| (!part.precompile, part.range));
        let (mut core, mut normalized) = (Vec::new(), Vec::new());
        for part in parts {
            match part.proof {
                PartProof::Core(proof) => core.push(proof),
                PartProof::Normalized(artifact) => normalized.push(artifact),
            }
        }
        match &self.prover.compressor {
            None => Ok(SP1Proof::Core(core)),
            Some(compressor) => {
                let proof = compressor.fold(normalized, progress).await?;
                Ok(SP1Proof::Compressed(Box::new(proof)))
            }
        }
    }
}

impl Prover {
    async fn prove_shard(&self, key: Arc<CoreKey>, shard: Shard) -> anyhow::Result<Part> {
        let Shard { record, precompile, place } = shard;
        let shape = self.core.shape(&record);
        let proof = self.core.prove(key.clone(), record).await;
        let values: &PublicValues<[SP1Field; 4], [SP1Field; 3], [SP1Field; 4], SP1Field> =
            proof.public_values.as_slice().borrow();
        let range = values.range();
        let proof = match &self.compressor {
            None => PartProof::Core(proof),
            Some(compressor) => {
                let shape =
                    shape.ok_or_else(|| anyhow::anyhow!("a shard has no shape that recursion knows"))?;
                let vk = SP1VerifyingKey { vk: key.vk.clone() };
                PartProof::Normalized(
                    compressor.normalize(&self.core, &vk, &shape, &proof, precompile).await?,
                )
            }
        };
        // Now that nothing of the shard is left but its proof, the next one may be traced.
        drop(place);
        Ok(Part { range, precompile, proof })
    }
}

/// Shards planned, found and proven.
struct Counts {
    progress: ProgressSink,
    planned: u32,
    found: AtomicU32,
    done: AtomicU32,
}

impl Counts {
    fn new(progress: ProgressSink, planned: usize) -> Self {
        let planned = u32::try_from(planned).unwrap_or(u32::MAX);
        Self { progress, planned, found: 0.into(), done: 0.into() }
    }

    fn found(&self) {
        self.found.fetch_add(1, Ordering::Relaxed);
        self.report();
    }

    fn proven(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.report();
    }

    fn report(&self) {
        let (done, found) = (self.done.load(Ordering::Relaxed), self.found.load(Ordering::Relaxed));
        let total = self.planned.max(found);
        (self.progress)(Progress::Proving { done, total });
    }
}

async fn join(proving: &mut JoinSet<anyhow::Result<Part>>) -> Result<Option<Part>, EngineError> {
    match proving.join_next().await {
        None => Ok(None),
        Some(Ok(part)) => part.map(Some).map_err(EngineError::Prover),
        Some(Err(error)) => Err(EngineError::Prover(anyhow::anyhow!("a prover task: {error}"))),
    }
}
