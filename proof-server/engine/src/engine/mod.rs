//! The engine: one proof at once, or the parts of it that several machines make.
//!
//! A whole proof is made of the same steps as its parts: a shard is proven, normalized where the proof is to be
//! compressed, and put together with the others. What differs is where the parts come from. Those that this process has
//! just made are trusted, as whoever asked for the proof verifies it; those that somebody sent are checked first.

mod folding;
mod shards;

use std::{future::Future, pin::Pin, sync::Arc};

use sextant_machines::{Machines, OURS};
use sextant_protocol::{Progress, ProofKind};
use sp1_hypercube::SP1VerifyingKey;
use sp1_verifier::SP1Proof;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};

use crate::{
    EngineError, EngineSettings, PartName, PlannedRun, ProgressSink,
    compress::{Compressed, Compressor},
    core::{CoreKey, CoreProver, CoreShardProof},
    cutting,
    deferred::Deferred,
    parts::Checker,
    progress::Counts,
    records::{self, Places, Shard, Wanted},
};

/// A boxed future. Boxing keeps SP1's generic code in this crate: the body of a plain `async fn` is compiled in
/// whatever crate awaits it, minutes each time.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// A proof fresh from the engine, not yet verified.
pub struct Proven {
    /// The proof.
    pub proof: SP1Proof,
    /// What the guest committed, by the prover's word.
    pub public_values: Vec<u8>,
}

/// A started engine for one kind of proof; makes one proof, or one part of one, at a time.
pub struct Engine {
    prover: Arc<Prover>,
    checker: Checker,
    settings: EngineSettings,
}

struct Prover {
    core: CoreProver,
    /// Absent in an engine for core proofs.
    compressor: Option<Compressor>,
}

/// The proof of a shard, as the engine's kind of proof needs it.
#[allow(clippy::large_enum_variant)] // A handful at a time, moved once.
enum Made {
    Core(CoreShardProof),
    Normalized(Compressed),
}

impl Engine {
    /// Starts the engine: at once for STARKs, in tens of seconds for compressed proofs.
    ///
    /// # Errors
    /// [`EngineError::Kind`] for a kind that is not made here, [`EngineError::Prover`] if SP1 does not start.
    pub fn start(kind: ProofKind, settings: EngineSettings) -> Work<'static, Self> {
        Self::start_with(OURS, kind, settings)
    }

    /// [`start`](Self::start) with other provers of shards than Sextant's.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub fn start_with(machines: Machines, kind: ProofKind, settings: EngineSettings) -> Work<'static, Self> {
        Box::pin(async move {
            let core = CoreProver::new(&machines, settings.parallel_shards);
            let compressor = match kind {
                ProofKind::Stark => None,
                ProofKind::Compressed => {
                    let compressor = Compressor::start(&machines, &core, &settings).await;
                    Some(compressor.map_err(EngineError::Prover)?)
                }
                kind => return Err(EngineError::Kind(kind)),
            };
            let prover = Arc::new(Prover { core, compressor });
            Ok(Self { prover, checker: Checker::default(), settings })
        })
    }

    /// Makes the key of a program before the first proof of it needs it: seconds.
    ///
    /// # Errors
    /// [`EngineError::Program`] if the ELF does not load.
    pub fn warm<'a>(&'a self, elf: &'a [u8]) -> Work<'a, ()> {
        Box::pin(async move {
            self.prover.core.key(&cutting::program(elf)?).await;
            Ok(())
        })
    }

    /// Proves all of `run`, reporting shards and foldings to `progress`.
    ///
    /// # Errors
    /// [`EngineError::Execution`] or [`EngineError::ExitCode`] if the guest does not end well, [`EngineError::Plan`] if
    /// it does not go as planned, [`EngineError::Prover`] with SP1's reason.
    pub fn prove<'a>(&'a self, run: &'a PlannedRun, progress: ProgressSink) -> Work<'a, Proven> {
        Box::pin(self.prove_all(run, progress))
    }

    async fn prove_all(&self, run: &PlannedRun, progress: ProgressSink) -> Result<Proven, EngineError> {
        let key = self.prover.core.key(&run.program).await;
        let deferred = Arc::new(Deferred::of(&run.proofs));
        if !deferred.proofs.is_empty() && self.prover.compressor.is_none() {
            // A STARK would leave open whether they hold.
            return Err(EngineError::Kind(ProofKind::Compressed));
        }
        let (mut traced, tracing) = self.trace(run, Wanted::All);
        let counts = Arc::new(Counts::new(progress.clone(), run.plan.parts.len()));
        let (mut proving, mut made) = (JoinSet::new(), Vec::new());
        while let Some(shard) = traced.recv().await {
            counts.found();
            if proving.len() >= self.settings.parallel_shards {
                made.extend(join(&mut proving).await?);
            }
            let (prover, key, counts) = (self.prover.clone(), key.clone(), counts.clone());
            let deferred = deferred.clone();
            proving.spawn(async move {
                let made = prover.make(key, shard, &deferred).await;
                counts.proven();
                made
            });
        }
        finished(tracing).await?;
        while let Some(part) = join(&mut proving).await? {
            made.push(part);
        }
        made.sort_by_key(|(name, _)| *name);
        let (mut core, mut precompiles, mut normalized) = (Vec::new(), Vec::new(), Vec::new());
        for (name, proof) in made {
            match proof {
                Made::Core(proof) => core.push(proof),
                Made::Normalized(proof) if name.is_precompile() => precompiles.push(proof),
                Made::Normalized(proof) => normalized.push(proof),
            }
        }
        let proof = match &self.prover.compressor {
            None => SP1Proof::Core(core),
            Some(compressor) => {
                let verified = verify(compressor, &key, &deferred, &progress).await?;
                let normalized = [precompiles, verified, normalized].into_iter().flatten().collect();
                let folded = compressor.fold(normalized, true, &progress).await;
                SP1Proof::Compressed(Box::new(folded.map_err(EngineError::Prover)?))
            }
        };
        Ok(Proven { proof, public_values: run.plan.public_values.clone() })
    }

    /// Traces what is wanted of `run`, in a thread of its own, each shard when there is a place for it.
    fn trace(&self, run: &PlannedRun, wanted: Wanted) -> (mpsc::Receiver<Shard>, Tracing) {
        let (shards, traced) = mpsc::channel(1);
        let places = Places::new(self.settings.parallel_shards + self.settings.shards_ahead);
        let (run, settings) = (run.clone(), self.settings.clone());
        let tracing = tokio::task::spawn_blocking(move || {
            records::generate(&run, &settings, wanted, &places, |shard| shards.blocking_send(shard).is_ok())
        });
        (traced, tracing)
    }

    async fn verifying_key(&self, run: &PlannedRun) -> SP1VerifyingKey {
        SP1VerifyingKey { vk: self.prover.core.key(&run.program).await.vk.clone() }
    }
}

impl Prover {
    /// Proves a shard, and normalizes the proof where proofs are compressed.
    async fn make(
        &self,
        key: Arc<CoreKey>,
        shard: Shard,
        deferred: &Deferred,
    ) -> anyhow::Result<(PartName, Made)> {
        let Shard { name, record, place } = shard;
        let proof = self.core.prove(key.clone(), record).await;
        let made = match &self.compressor {
            None => Made::Core(proof),
            Some(compressor) => {
                let vk = SP1VerifyingKey { vk: key.vk.clone() };
                let folded =
                    compressor.normalize(&self.core, &vk, &proof, name.is_precompile(), deferred).await?;
                Made::Normalized(folded)
            }
        };
        // Now that nothing of the shard is left but its proof, the next one may be traced.
        drop(place);
        Ok((name, made))
    }

    fn compressor(&self) -> Result<&Compressor, EngineError> {
        self.compressor.as_ref().ok_or(EngineError::Kind(ProofKind::Compressed))
    }
}

/// Recursion proofs that the run's deferred proofs hold, in their order.
async fn verify(
    compressor: &Compressor,
    key: &CoreKey,
    deferred: &Deferred,
    progress: &ProgressSink,
) -> Result<Vec<Compressed>, EngineError> {
    let vk = SP1VerifyingKey { vk: key.vk.clone() };
    let total = u32::try_from(deferred.proofs.len()).unwrap_or(u32::MAX);
    let mut verified = Vec::with_capacity(deferred.proofs.len());
    for (done, data) in (0..).zip(&deferred.proofs) {
        progress(Progress::Bundling { done, total });
        verified.push(compressor.defer(&vk, deferred, data).await.map_err(EngineError::Prover)?);
    }
    Ok(verified)
}

/// The thread that traces.
type Tracing = JoinHandle<Result<(), EngineError>>;

async fn finished(tracing: Tracing) -> Result<(), EngineError> {
    tracing.await.map_err(|error| EngineError::Prover(anyhow::anyhow!("tracing: {error}")))?
}

async fn join(
    proving: &mut JoinSet<anyhow::Result<(PartName, Made)>>,
) -> Result<Option<(PartName, Made)>, EngineError> {
    match proving.join_next().await {
        None => Ok(None),
        Some(Ok(part)) => part.map(Some).map_err(EngineError::Prover),
        Some(Err(error)) => Err(EngineError::Prover(anyhow::anyhow!("a prover task: {error}"))),
    }
}
