//! Recursion keys on a budget.
//!
//! SP1 sets up a key for every recursion program it might ever need, about 1.2 GB each: composing one, two, three and
//! four proofs, deferred proofs, shrinking. [`LazyRecursion`] makes the first few it is asked for and answers the
//! rest with placeholders that cannot prove anything. What would need one of those ends in a panic of the worker,
//! never in a proof; and every proof is verified before it leaves the worker anyway.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use sp1_hypercube::{
    Machine, MachineVerifyingKey, SP1PcsProofInner, ShardProof,
    prover::{AirProver, CpuShardProver, PreprocessedData, ProverPermit, ProverSemaphore, ProvingKey},
};
use sp1_primitives::{SP1Field, SP1GlobalContext};
use sp1_prover::{CompressAir, CpuSP1ProverComponents, RecursionSC, SP1ProverComponents, WrapProverBuilder};
use sp1_recursion_circuit::dummy::dummy_vk;
use sp1_recursion_executor::{ExecutionRecord, RecursionProgram};

type Context = SP1GlobalContext;
type Proof = ShardProof<Context, SP1PcsProofInner>;
type VerifyingKey = MachineVerifyingKey<Context>;
type CpuRecursion = <CpuSP1ProverComponents as SP1ProverComponents>::RecursionProver;
type CpuWrap = <CpuSP1ProverComponents as SP1ProverComponents>::WrapProver;
type RecursionKey = ProvingKey<Context, RecursionSC, CpuRecursion>;

/// SP1's CPU recursion prover that sets up only the first `keys` programs it is given.
pub(crate) struct LazyRecursion {
    inner: CpuRecursion,
    keys: AtomicUsize,
}

impl LazyRecursion {
    /// `keys`: how many set-ups are real. SP1 sets up the compose programs first, in order of arity.
    pub(crate) fn new(keys: usize) -> Self {
        let verifier = CpuSP1ProverComponents::compress_verifier();
        Self { inner: CpuShardProver::new(verifier.shard_verifier().clone()), keys: AtomicUsize::new(keys) }
    }
}

impl AirProver<Context, RecursionSC> for LazyRecursion {
    type PreprocessedData = Option<Arc<RecursionKey>>;

    fn machine(&self) -> &Machine<SP1Field, CompressAir<SP1Field>> {
        self.inner.machine()
    }

    async fn setup_from_vk(
        &self,
        program: Arc<RecursionProgram<SP1Field>>,
        vk: Option<VerifyingKey>,
        permits: ProverSemaphore,
    ) -> (PreprocessedData<ProvingKey<Context, RecursionSC, Self>>, VerifyingKey) {
        let wanted =
            self.keys.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        let (vk, key, permit) = if wanted {
            let (data, vk) = self.inner.setup_from_vk(program, vk, permits).await;
            (vk, Some(data.pk), data.permit)
        } else {
            let permit = permits.acquire().await.expect("SP1 never closes the semaphore it hands out");
            (dummy_vk(), None, permit)
        };
        let pk = Arc::new(ProvingKey { vk: vk.clone(), preprocessed_data: key });
        (PreprocessedData { pk, permit }, vk)
    }

    async fn setup_and_prove_shard(
        &self,
        program: Arc<RecursionProgram<SP1Field>>,
        record: ExecutionRecord<SP1Field>,
        vk: Option<VerifyingKey>,
        permits: ProverSemaphore,
    ) -> (VerifyingKey, Proof, ProverPermit) {
        self.inner.setup_and_prove_shard(program, record, vk, permits).await
    }

    async fn prove_shard_with_pk(
        &self,
        pk: Arc<ProvingKey<Context, RecursionSC, Self>>,
        record: ExecutionRecord<SP1Field>,
        permits: ProverSemaphore,
    ) -> (Proof, ProverPermit) {
        let key = pk.preprocessed_data.clone().expect("the engine folds only at arities it has keys for");
        self.inner.prove_shard_with_pk(key, record, permits).await
    }

    async fn preprocessed_table_heights(
        pk: Arc<ProvingKey<Context, RecursionSC, Self>>,
    ) -> BTreeMap<String, usize> {
        match pk.preprocessed_data.clone() {
            Some(key) => {
                <CpuRecursion as AirProver<Context, RecursionSC>>::preprocessed_table_heights(key).await
            }
            None => BTreeMap::new(),
        }
    }
}

/// Makes the wrap prover, which no kind served here needs, only when asked.
pub(crate) struct WrapOnDemand;

impl WrapProverBuilder<Components> for WrapOnDemand {
    fn build(&self) -> Arc<CpuWrap> {
        Arc::new(CpuShardProver::new(CpuSP1ProverComponents::wrap_verifier().shard_verifier().clone()))
    }
}

/// SP1's CPU components with keys on a budget.
pub(crate) struct Components;

impl SP1ProverComponents for Components {
    type CoreProver = <CpuSP1ProverComponents as SP1ProverComponents>::CoreProver;
    type RecursionProver = LazyRecursion;
    type WrapProver = CpuWrap;
    type WrapProverBuilder = WrapOnDemand;
}
