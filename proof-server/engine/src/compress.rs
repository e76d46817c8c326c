//! Compression: each shard proof becomes a recursion proof of one common shape, and those are folded into one.

use std::{collections::VecDeque, sync::Arc};

use anyhow::Context;
use sextant_machines::Machines;
use sextant_protocol::Progress;
use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::{
    SP1PcsProofInner, SP1RecursionProof, SP1VerifyingKey, air::ShardRange, prover::ProverSemaphore,
};
use sp1_primitives::{SP1Field, SP1GlobalContext};
use sp1_prover::{
    CpuSP1ProverComponents, SP1CircuitWitness, SP1ProverComponents,
    recursion::recursive_verifier,
    shapes::SP1NormalizeCache,
    worker::{
        CommonProverInput, LocalWorkerClient, ProofId, ProverMetrics, RangeProofs,
        RecursionDeferredTaskRequest, RecursionProof, ReduceTaskRequest, RequesterId, SP1DeferredData,
        SP1Worker, SP1WorkerBuilder, TaskContext, get_normalize_program,
    },
};
use sp1_prover_types::{
    Artifact, ArtifactClient, ArtifactType, InMemoryArtifactClient, network_base_types::ProofMode,
};
use sp1_recursion_circuit::shard::RecursiveShardVerifier;
use sp1_recursion_compiler::circuit::AsmConfig;
use tokio::sync::Notify;

use crate::{
    EngineSettings, ProgressSink,
    core::{CoreProver, CoreShardProof},
    cutting::NONCE,
    deferred::Deferred,
    recursion_keys::{Components, LazyRecursion, WrapOnDemand},
};

/// A recursion proof.
pub(crate) type Compressed = SP1RecursionProof<SP1GlobalContext, SP1PcsProofInner>;

/// SP1's prover for everything after the core.
pub(crate) type RecursionWorker = SP1Worker<InMemoryArtifactClient, LocalWorkerClient, Components>;

/// Starts SP1's recursion prover with so many keys for composing and for shrinking; where it composes, it can verify
/// deferred proofs too. `wrapping` is told when SP1 begins to wrap.
pub(crate) async fn recursion_worker(
    machines: &Machines,
    settings: &EngineSettings,
    compose_keys: usize,
    shrink_keys: usize,
    wrapping: Arc<Notify>,
) -> anyhow::Result<RecursionWorker> {
    let permits = ProverSemaphore::new(settings.parallel_shards);
    let machine = RiscvAir::machine();
    let core_verifier = CpuSP1ProverComponents::core_verifier(machine.clone());
    let (client, _tasks) = LocalWorkerClient::init();
    SP1WorkerBuilder::<Components>::new_with_machine(machine)
        .with_core_opts(settings.core_opts())
        .with_config(|config| settings.apply(config))
        // Part of SP1's worker, never asked: shards are proven by `CoreProver`.
        .with_core_air_prover(
            Arc::new((machines.core)(core_verifier.shard_verifier().clone())),
            permits.clone(),
        )
        .with_compress_air_prover(Arc::new(LazyRecursion::compose(machines, compose_keys)), permits.clone())
        .with_shrink_air_prover(Arc::new(LazyRecursion::shrink(machines, shrink_keys)), permits.clone())
        .with_wrap_air_prover(WrapOnDemand { machines: *machines, told: wrapping }, permits)
        .with_artifact_client(InMemoryArtifactClient::new())
        .with_worker_client(client)
        .build()
        .await
}

/// A step of SP1's scheduler, which is not used here: names for what the step wants named.
pub(crate) fn task_context() -> TaskContext {
    TaskContext {
        proof_id: ProofId::new("local"),
        parent_id: None,
        parent_context: None,
        requester_id: RequesterId::new("local"),
    }
}

/// Shapes whose recursion programs are kept; a program has a handful.
const KEPT_SHAPES: usize = 8;

/// SP1's recursion prover, with the keys that folding needs.
pub(crate) struct Compressor {
    worker: RecursionWorker,
    recursive_core_verifier: RecursiveShardVerifier<SP1GlobalContext, RiscvAir<SP1Field>, AsmConfig>,
    programs: SP1NormalizeCache,
    arity: usize,
}

impl Compressor {
    /// Compiles the recursion programs and sets up their keys: tens of seconds.
    pub(crate) async fn start(
        machines: &Machines,
        core: &CoreProver,
        settings: &EngineSettings,
    ) -> anyhow::Result<Self> {
        let worker = recursion_worker(machines, settings, settings.reduce_arity, 0, Arc::default()).await?;
        Ok(Self {
            worker,
            recursive_core_verifier: recursive_verifier(core.verifier().shard_verifier()),
            programs: SP1NormalizeCache::new(KEPT_SHAPES),
            arity: settings.reduce_arity,
        })
    }

    /// Turns the proof of one shard, which holds, into a recursion proof. The run's proofs that the guest verifies are
    /// `deferred`.
    pub(crate) async fn normalize(
        &self,
        core: &CoreProver,
        vk: &SP1VerifyingKey,
        proof: &CoreShardProof,
        precompile: bool,
        deferred: &Deferred,
    ) -> anyhow::Result<Compressed> {
        let recursion = &self.worker.prover_engine().recursion_prover;
        let shape = core.verifier().shape_from_proof(proof);
        // Compiling takes seconds for a new shape and blocks; the worker has nothing else to do meanwhile.
        let program = tokio::task::block_in_place(|| {
            get_normalize_program(
                vk.clone(),
                core.verifier(),
                &self.recursive_core_verifier,
                &shape,
                recursion.reduce_shape(),
                Some(&self.programs),
            )
        });
        let common = common(vk, deferred);
        let witness = recursion.get_normalize_witness(&common, proof, false, precompile);
        let output = self.worker.artifact_client().create_artifact()?;
        recursion
            .submit_prove_shard(
                program,
                SP1CircuitWitness::Core(witness),
                output.clone(),
                ProverMetrics::new(),
            )
            .await?
            .await
            .context("normalizing a shard")??;
        self.take(output).await
    }

    /// Verifies one of the run's deferred proofs: makes a recursion proof that it holds.
    pub(crate) async fn defer(
        &self,
        vk: &SP1VerifyingKey,
        deferred: &Deferred,
        data: &SP1DeferredData,
    ) -> anyhow::Result<Compressed> {
        let artifacts = self.worker.artifact_client();
        let (input, proof) = (artifacts.create_artifact()?, artifacts.create_artifact()?);
        artifacts.upload(&input, common(vk, deferred)).await?;
        artifacts.upload(&proof, data).await?;
        let output = artifacts.create_artifact()?;
        let request = RecursionDeferredTaskRequest {
            common_input: input.clone(),
            deferred_data: proof.clone(),
            output: output.clone(),
            context: task_context(),
        };
        let verified = self.worker.prover_engine().submit_prove_deferred(request.into_raw()?).await?.await;
        for used in [input, proof] {
            artifacts.delete(&used, ArtifactType::UnspecifiedArtifactType).await?;
        }
        verified.context("verifying a deferred proof")??;
        self.take(output).await
    }

    /// Folds recursion proofs, in the order of their shards, into one. Where they are of the `whole` run, the last step
    /// declares the proof complete.
    pub(crate) async fn fold(
        &self,
        mut proofs: Vec<Compressed>,
        whole: bool,
        progress: &ProgressSink,
    ) -> anyhow::Result<Compressed> {
        let mut done = 0;
        loop {
            let last = proofs.len() <= self.arity;
            let mut folded = Vec::with_capacity(proofs.len().div_ceil(self.arity));
            let mut rest = proofs.into_iter().peekable();
            while rest.peek().is_some() {
                let mut group: Vec<_> = rest.by_ref().take(self.arity).collect();
                let completes = last && whole;
                // Even a single proof takes the step that completes it.
                if group.len() == 1 && !completes {
                    folded.append(&mut group);
                    continue;
                }
                folded.push(self.fold_once(group, completes).await?);
                done += 1;
                progress(Progress::Compressing { done });
            }
            if last {
                return folded.pop().context("nothing to fold");
            }
            proofs = folded;
        }
    }

    async fn fold_once(&self, group: Vec<Compressed>, is_complete: bool) -> anyhow::Result<Compressed> {
        let artifacts = self.worker.artifact_client();
        let output = artifacts.create_artifact()?;
        let mut proofs = VecDeque::with_capacity(group.len());
        for proof in group {
            // SP1's prover deletes what it is given.
            let input = artifacts.create_artifact()?;
            artifacts.upload(&input, proof).await?;
            // Ranges serve SP1's scheduler, which is not used here; the proofs themselves say what they cover.
            proofs.push_back(RecursionProof { shard_range: ShardRange::precompile(), proof: input });
        }
        let request = ReduceTaskRequest {
            range_proofs: RangeProofs::new(ShardRange::precompile(), proofs),
            is_complete,
            output: output.clone(),
            context: task_context(),
        };
        self.worker
            .prover_engine()
            .recursion_prover
            .submit_recursion_reduce(request.into_raw()?)
            .await?
            .await
            .context("folding proofs")??;
        self.take(output).await
    }

    /// Takes what SP1's prover has made out of its store.
    async fn take(&self, output: Artifact) -> anyhow::Result<Compressed> {
        let artifacts = self.worker.artifact_client();
        let proof = artifacts.download::<Compressed>(&output).await?;
        artifacts.delete(&output, ArtifactType::UnspecifiedArtifactType).await?;
        Ok(proof)
    }
}

/// What SP1's recursion is told about a run as a whole.
fn common(vk: &SP1VerifyingKey, deferred: &Deferred) -> CommonProverInput {
    CommonProverInput {
        vk: vk.clone(),
        mode: ProofMode::Compressed,
        deferred_digest: deferred.digest(),
        num_deferred_proofs: deferred.proofs.len(),
        nonce: NONCE,
    }
}
