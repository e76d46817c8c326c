//! The prover of shards: one transcript from the traces to the proof.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::once,
    sync::Arc,
};

use slop_algebra::AbstractField;
use slop_alloc::CpuBackend;
use slop_challenger::{CanObserve, IopCtx, VariableLengthChallenger};
use slop_commit::Rounds;
use slop_multilinear::{Evaluations, MleEval};
use slop_stacked::StackedPcsVerifier;
use sp1_hypercube::{
    Chip, Machine, MachineVerifyingKey, ShardContext, ShardOpenedValues, ShardProof, ShardVerifier,
    air::{MachineAir, MachineProgram},
    prover::{
        AirProver, DefaultTraceGenerator, MainTraceData, PcsProof, PreprocessedData, PreprocessedTraceData,
        Program, ProverPermit, ProverSemaphore, ProvingKey, Record, TraceData, TraceGenerator, Traces,
    },
};

use crate::{
    PackedAir,
    commitment::{Commitments, Committed, Trees, TwoAdicCtx},
    logup, opening, step, zerocheck,
};

/// A machine whose traces are committed to by stacked Basefold, as all of SP1's are.
pub trait StackedContext<GC: TwoAdicCtx>: ShardContext<GC, Config = StackedPcsVerifier<GC>> {}
impl<GC: TwoAdicCtx, SC: ShardContext<GC, Config = StackedPcsVerifier<GC>>> StackedContext<GC> for SC {}

/// Proves shards of one machine. Cheap to clone.
pub struct Prover<GC: TwoAdicCtx, SC: StackedContext<GC>, T: Trees<GC>> {
    parts: Arc<Parts<GC, SC, T>>,
}

struct Parts<GC: TwoAdicCtx, SC: StackedContext<GC>, T: Trees<GC>> {
    traces: DefaultTraceGenerator<GC::F, SC::Air, CpuBackend>,
    commitments: Commitments<GC, T>,
    prove: ProveTraces<GC, SC, T>,
}

/// [`Prover::prove_traces`] of a machine.
pub type ProveTraces<GC, SC, T> = fn(
    &Prover<GC, SC, T>,
    &Key<GC, SC, T>,
    Traces<<GC as IopCtx>::F, CpuBackend>,
    Vec<<GC as IopCtx>::F>,
    &BTreeSet<Chip<<GC as IopCtx>::F, <SC as ShardContext<GC>>::Air>>,
) -> Proof<GC, SC>;

impl<GC: TwoAdicCtx, SC: StackedContext<GC>, T: Trees<GC>> Clone for Prover<GC, SC, T> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone() }
    }
}

/// What a program's key has of the tables that do not depend on its input.
pub struct Preprocessed<GC: TwoAdicCtx, T: Trees<GC>> {
    traces: Traces<GC::F, CpuBackend>,
    committed: Committed<GC, T>,
}

/// A program's key.
pub type Key<GC, SC, T> = ProvingKey<GC, SC, Prover<GC, SC, T>>;
/// A shard's proof.
pub type Proof<GC, SC> = ShardProof<GC, PcsProof<GC, SC>>;

impl<GC: TwoAdicCtx, SC: StackedContext<GC>, T: Trees<GC>> Prover<GC, SC, T> {
    /// A prover whose proofs this verifier accepts. `prove` is [`Prover::prove_traces`]: whoever names it compiles it for
    /// all tables of the machine, which takes minutes, and whoever only calls the prover does not.
    pub fn new(verifier: ShardVerifier<GC, SC>, prove: ProveTraces<GC, SC, T>) -> Self {
        let ShardVerifier { jagged_pcs_verifier, machine } = verifier;
        let commitments = Commitments::new(&jagged_pcs_verifier);
        Self { parts: Arc::new(Parts { traces: DefaultTraceGenerator::new(machine), commitments, prove }) }
    }

    fn rows(&self) -> usize {
        self.parts.commitments.max_log_row_count
    }

    fn key(
        &self,
        program: &Program<GC, SC>,
        initial_global_cumulative_sum: sp1_hypercube::septic_digest::SepticDigest<GC::F>,
        preprocessed_traces: Traces<GC::F, CpuBackend>,
    ) -> Arc<Key<GC, SC, T>> {
        let (preprocessed_commit, committed) = self.commit(&preprocessed_traces);
        let vk = MachineVerifyingKey {
            pc_start: program.pc_start(),
            initial_global_cumulative_sum,
            preprocessed_commit,
            untrusted_config: program.untrusted_config(),
        };
        Arc::new(ProvingKey {
            vk,
            preprocessed_data: Preprocessed { traces: preprocessed_traces, committed },
        })
    }

    fn commit(&self, traces: &Traces<GC::F, CpuBackend>) -> (GC::Digest, Committed<GC, T>) {
        self.parts.commitments.commit(traces.values())
    }

    /// The proof, on a thread that may block.
    async fn prove(
        &self,
        key: Arc<Key<GC, SC, T>>,
        traces: MainTraceData<GC::F, SC::Air, CpuBackend>,
    ) -> (Proof<GC, SC>, ProverPermit) {
        let prover = self.clone();
        let proving = tokio::task::spawn_blocking(move || {
            let MainTraceData { traces, public_values, shard_chips, permit } = traces;
            ((prover.parts.prove)(&prover, &key, traces, public_values, &shard_chips), permit)
        });
        proving.await.expect("a panic of the prover is one of its caller")
    }

    /// Proves traces of `chips`; blocking, on all of rayon's threads.
    pub fn prove_traces(
        &self,
        key: &Key<GC, SC, T>,
        traces: Traces<GC::F, CpuBackend>,
        public_values: Vec<GC::F>,
        chips: &BTreeSet<Chip<GC::F, SC::Air>>,
    ) -> Proof<GC, SC>
    where
        SC::Air: PackedAir<GC::F, GC::EF>,
    {
        let mut challenger = GC::default_challenger();
        key.vk.observe_into(&mut challenger);
        challenger.observe_constant_length_slice(&public_values);

        let (main_commitment, committed) = step("commit", || self.commit(&traces));
        challenger.observe(main_commitment);
        challenger.observe(GC::F::from_canonical_usize(chips.len()));
        for chip in chips {
            let name = chip.name();
            challenger.observe(GC::F::from_canonical_usize(traces[name].num_real_entries()));
            challenger.observe(GC::F::from_canonical_usize(name.len()));
            for byte in name.bytes() {
                challenger.observe(GC::F::from_canonical_u8(byte));
            }
        }

        let Preprocessed { traces: preprocessed_traces, committed: preprocessed } = &key.preprocessed_data;
        let logup_gkr_proof =
            step("logup", || logup::prove::<GC, SC>(chips, preprocessed_traces, &traces, &mut challenger));
        let (opened_values, zerocheck_proof) = step("zerocheck", || {
            let claims = &logup_gkr_proof.logup_evaluations;
            zerocheck::prove::<GC, SC>(
                chips,
                preprocessed_traces,
                traces,
                claims,
                &public_values,
                &mut challenger,
            )
        });

        let evaluation_proof = step("opening", || {
            let point = zerocheck_proof.point_and_eval.0.clone();
            let committed = [preprocessed, &committed];
            opening::prove(
                &self.parts.commitments,
                point,
                claims(&opened_values),
                &committed,
                &mut challenger,
            )
        })
        .expect("what was committed to can be opened");
        ShardProof {
            public_values,
            main_commitment,
            logup_gkr_proof,
            zerocheck_proof,
            opened_values,
            evaluation_proof,
        }
    }
}

/// The values to open: of the preprocessed traces and of the main ones.
fn claims<F, EF: slop_algebra::Field>(
    opened: &ShardOpenedValues<F, EF>,
) -> Rounds<Evaluations<EF, CpuBackend>> {
    let of = |values: &[EF]| MleEval::from(values.to_vec());
    let preprocessed: Vec<_> = (opened.chips.values())
        .filter(|chip| !chip.preprocessed.local.is_empty())
        .map(|chip| of(&chip.preprocessed.local))
        .collect();
    let main = opened.chips.values().map(|chip| of(&chip.main.local)).collect();
    let preprocessed = (!preprocessed.is_empty()).then(|| Evaluations::new(preprocessed));
    preprocessed.into_iter().chain(once(Evaluations::new(main))).collect()
}

impl<GC: TwoAdicCtx, SC: StackedContext<GC>, T: Trees<GC>> AirProver<GC, SC> for Prover<GC, SC, T> {
    type PreprocessedData = Preprocessed<GC, T>;

    fn machine(&self) -> &Machine<GC::F, SC::Air> {
        self.parts.traces.machine()
    }

    async fn setup_from_vk(
        &self,
        program: Arc<Program<GC, SC>>,
        vk: Option<MachineVerifyingKey<GC>>,
        permits: ProverSemaphore,
    ) -> (PreprocessedData<Key<GC, SC, T>>, MachineVerifyingKey<GC>) {
        let sum = initial_sum::<GC, SC>(&program, vk).await;
        let PreprocessedTraceData { preprocessed_traces, permit } =
            self.parts.traces.generate_preprocessed_traces(program.clone(), self.rows(), permits).await;
        let pk = self.key(&program, sum, preprocessed_traces);
        let vk = pk.vk.clone();
        (PreprocessedData { pk, permit }, vk)
    }

    async fn setup_and_prove_shard(
        &self,
        program: Arc<Program<GC, SC>>,
        record: Record<GC, SC>,
        vk: Option<MachineVerifyingKey<GC>>,
        permits: ProverSemaphore,
    ) -> (MachineVerifyingKey<GC>, Proof<GC, SC>, ProverPermit) {
        let sum = initial_sum::<GC, SC>(&program, vk).await;
        let TraceData { preprocessed_traces, main_trace_data } =
            self.parts.traces.generate_traces(program.clone(), record, self.rows(), permits).await;
        let key = self.key(&program, sum, preprocessed_traces);
        let vk = key.vk.clone();
        let (proof, permit) = self.prove(key, main_trace_data).await;
        (vk, proof, permit)
    }

    async fn prove_shard_with_pk(
        &self,
        key: Arc<Key<GC, SC, T>>,
        record: Record<GC, SC>,
        permits: ProverSemaphore,
    ) -> (Proof<GC, SC>, ProverPermit) {
        let traces = self.parts.traces.generate_main_traces(record, self.rows(), permits).await;
        self.prove(key, traces).await
    }

    async fn preprocessed_table_heights(key: Arc<Key<GC, SC, T>>) -> BTreeMap<String, usize> {
        let traces = key.preprocessed_data.traces.iter();
        traces.map(|(name, trace)| (name.clone(), trace.num_real_entries())).collect()
    }
}

/// The digest of the memory that a program begins with: seconds, unless a verifying key has it.
async fn initial_sum<GC: IopCtx, SC: ShardContext<GC>>(
    program: &Arc<Program<GC, SC>>,
    vk: Option<MachineVerifyingKey<GC>>,
) -> sp1_hypercube::septic_digest::SepticDigest<GC::F> {
    match vk {
        Some(vk) => vk.initial_global_cumulative_sum,
        None => {
            let program = program.clone();
            let sum = tokio::task::spawn_blocking(move || program.initial_global_cumulative_sum());
            sum.await.expect("a panic of the prover is one of its caller")
        }
    }
}
