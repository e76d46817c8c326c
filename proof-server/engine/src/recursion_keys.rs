//! Recursion keys on a budget.
//!
//! SP1 sets up a key for every recursion program it might ever need, about 1.2 GB each: composing one, two, three and
//! four proofs, deferred proofs, shrinking. [`LazyRecursion`] makes the first few it is asked for and that of deferred
//! proofs when it is first used, and answers the rest with placeholders that cannot prove anything. What would need one
//! of those ends in a panic of the worker, never in a proof; and every proof is verified before it leaves the worker
//! anyway.
//!
//! A proving key that comes later needs its verifying key now: that of deferred proofs is kept here ([`DEFERRED_VK`]).
//!
//! Shrinking and wrapping SP1 sets up twice, once for the verifying key alone. [`LazyRecursion`] remembers the last key
//! it made, and [`KnownWrap`] answers with the wrap verifying key that SP1 ships and its verifiers pin.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use sextant_machines::{Machines, RecursionProver, WrapProver};
use sp1_hypercube::{
    Machine, MachineVerifyingKey, SP1PcsProofInner, SP1PcsProofOuter, ShardProof, ShardVerifier,
    prover::{AirProver, PreprocessedData, ProverPermit, ProverSemaphore, ProvingKey},
};
use sp1_primitives::{SP1Field, SP1GlobalContext, SP1OuterGlobalContext};
use sp1_prover::{
    CompressAir, CpuSP1ProverComponents, RecursionSC, SP1ProverComponents, WrapAir, WrapProverBuilder,
    WrapSC, verify::WRAP_VK_BYTES,
};
use sp1_recursion_circuit::dummy::dummy_vk;
use sp1_recursion_executor::{ExecutionRecord, RecursionProgram};
use tokio::sync::{Notify, OnceCell};

type Context = SP1GlobalContext;
type Proof = ShardProof<Context, SP1PcsProofInner>;
type VerifyingKey = MachineVerifyingKey<Context>;
type RecursionKey = ProvingKey<Context, RecursionSC, RecursionProver>;
type WrapVerifyingKey = MachineVerifyingKey<SP1OuterGlobalContext>;
type WrapShardProof = ShardProof<SP1OuterGlobalContext, SP1PcsProofOuter>;

/// A program and its key.
type Known = (Arc<RecursionProgram<SP1Field>>, Arc<RecursionKey>);

/// The verifying key of SP1's program for deferred proofs, as bincode. It follows from SP1's version, and is one of the keys
/// that its verifiers know. Whoever makes another says so, with its bytes.
const DEFERRED_VK: &[u8] = include_bytes!("deferred.vk");

/// The recursion prover that sets up only the first `keys` programs it is given, and perhaps the one after them when it
/// is used.
pub(crate) struct LazyRecursion {
    inner: RecursionProver,
    keys: AtomicUsize,
    deferred: AtomicBool,
    last: Mutex<Option<Known>>,
}

/// A program's key, if there is one.
pub(crate) enum Key {
    Ready(Arc<RecursionKey>),
    /// Set up when it is first used.
    Later {
        program: Arc<RecursionProgram<SP1Field>>,
        key: OnceCell<Arc<RecursionKey>>,
    },
    Never,
}

impl LazyRecursion {
    /// For composing: `keys` set-ups are real. SP1 sets up the compose programs first, in order of arity, and the one of
    /// deferred proofs after them: who composes all of them can verify such proofs.
    pub(crate) fn compose(machines: &Machines, keys: usize) -> Self {
        Self::new(machines, CpuSP1ProverComponents::compress_verifier().shard_verifier(), keys, keys > 0)
    }

    /// For shrinking: one program.
    pub(crate) fn shrink(machines: &Machines, keys: usize) -> Self {
        Self::new(machines, CpuSP1ProverComponents::shrink_verifier().shard_verifier(), keys, false)
    }

    fn new(
        machines: &Machines,
        verifier: &ShardVerifier<Context, RecursionSC>,
        keys: usize,
        deferred: bool,
    ) -> Self {
        Self {
            inner: (machines.recursion)(verifier.clone()),
            keys: AtomicUsize::new(keys),
            deferred: AtomicBool::new(deferred),
            last: Mutex::default(),
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Known>> {
        // A plain value: whatever panicked while holding it left it whole.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, program: &Arc<RecursionProgram<SP1Field>>) -> Option<Arc<RecursionKey>> {
        self.last().as_ref().filter(|(known, _)| Arc::ptr_eq(known, program)).map(|(_, key)| key.clone())
    }
}

impl AirProver<Context, RecursionSC> for LazyRecursion {
    type PreprocessedData = Arc<Key>;

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
            let (data, vk) = self.inner.setup_from_vk(program.clone(), vk, permits).await;
            *self.last() = Some((program, data.pk.clone()));
            (vk, Key::Ready(data.pk), data.permit)
        } else {
            let permit = permits.acquire().await.expect("SP1 never closes the semaphore it hands out");
            match self.deferred.swap(false, Ordering::Relaxed) {
                true => (deferred_vk(), Key::Later { program, key: OnceCell::new() }, permit),
                false => (dummy_vk(), Key::Never, permit),
            }
        };
        let pk = Arc::new(ProvingKey { vk: vk.clone(), preprocessed_data: Arc::new(key) });
        (PreprocessedData { pk, permit }, vk)
    }

    async fn setup_and_prove_shard(
        &self,
        program: Arc<RecursionProgram<SP1Field>>,
        record: ExecutionRecord<SP1Field>,
        vk: Option<VerifyingKey>,
        permits: ProverSemaphore,
    ) -> (VerifyingKey, Proof, ProverPermit) {
        match self.known(&program) {
            Some(key) => {
                let (proof, permit) = self.inner.prove_shard_with_pk(key.clone(), record, permits).await;
                (key.vk.clone(), proof, permit)
            }
            None => self.inner.setup_and_prove_shard(program, record, vk, permits).await,
        }
    }

    async fn prove_shard_with_pk(
        &self,
        pk: Arc<ProvingKey<Context, RecursionSC, Self>>,
        record: ExecutionRecord<SP1Field>,
        permits: ProverSemaphore,
    ) -> (Proof, ProverPermit) {
        let key = match &*pk.preprocessed_data {
            Key::Ready(key) => key.clone(),
            Key::Later { program, key } => {
                let set_up = async {
                    // A semaphore of its own: this proof holds none yet, and wants one in a moment.
                    let (data, vk) =
                        self.inner.setup_from_vk(program.clone(), None, ProverSemaphore::new(1)).await;
                    assert!(
                        vk == pk.vk,
                        "deferred.vk is not the key of SP1's program: {:02x?}",
                        bincode::serialize(&vk)
                    );
                    data.pk
                };
                key.get_or_init(|| set_up).await.clone()
            }
            Key::Never => unreachable!("the engine folds only at arities it has keys for"),
        };
        self.inner.prove_shard_with_pk(key, record, permits).await
    }

    async fn preprocessed_table_heights(
        pk: Arc<ProvingKey<Context, RecursionSC, Self>>,
    ) -> BTreeMap<String, usize> {
        match &*pk.preprocessed_data {
            Key::Ready(key) => {
                <RecursionProver as AirProver<Context, RecursionSC>>::preprocessed_table_heights(key.clone())
                    .await
            }
            Key::Later { .. } | Key::Never => BTreeMap::new(),
        }
    }
}

fn deferred_vk() -> VerifyingKey {
    bincode::deserialize(DEFERRED_VK).expect("the key that is kept here decodes")
}

/// The wrap prover, set up when it proves and not before.
pub(crate) struct KnownWrap {
    inner: WrapProver,
}

impl AirProver<SP1OuterGlobalContext, WrapSC> for KnownWrap {
    type PreprocessedData = ();

    fn machine(&self) -> &Machine<SP1Field, WrapAir<SP1Field>> {
        self.inner.machine()
    }

    async fn setup_from_vk(
        &self,
        _program: Arc<RecursionProgram<SP1Field>>,
        _vk: Option<WrapVerifyingKey>,
        permits: ProverSemaphore,
    ) -> (PreprocessedData<ProvingKey<SP1OuterGlobalContext, WrapSC, Self>>, WrapVerifyingKey) {
        let permit = permits.acquire().await.expect("SP1 never closes the semaphore it hands out");
        let vk: WrapVerifyingKey =
            bincode::deserialize(WRAP_VK_BYTES).expect("the key that SP1 ships decodes");
        let pk = Arc::new(ProvingKey { vk: vk.clone(), preprocessed_data: () });
        (PreprocessedData { pk, permit }, vk)
    }

    async fn setup_and_prove_shard(
        &self,
        program: Arc<RecursionProgram<SP1Field>>,
        record: ExecutionRecord<SP1Field>,
        vk: Option<WrapVerifyingKey>,
        permits: ProverSemaphore,
    ) -> (WrapVerifyingKey, WrapShardProof, ProverPermit) {
        self.inner.setup_and_prove_shard(program, record, vk, permits).await
    }

    async fn prove_shard_with_pk(
        &self,
        _pk: Arc<ProvingKey<SP1OuterGlobalContext, WrapSC, Self>>,
        _record: ExecutionRecord<SP1Field>,
        _permits: ProverSemaphore,
    ) -> (WrapShardProof, ProverPermit) {
        unreachable!("SP1 wraps with a set-up each time")
    }

    async fn preprocessed_table_heights(
        _pk: Arc<ProvingKey<SP1OuterGlobalContext, WrapSC, Self>>,
    ) -> BTreeMap<String, usize> {
        BTreeMap::new()
    }
}

/// Makes the wrap prover when it is asked for, and tells.
pub(crate) struct WrapOnDemand {
    pub(crate) machines: Machines,
    pub(crate) told: Arc<Notify>,
}

impl WrapProverBuilder<Components> for WrapOnDemand {
    fn build(&self) -> Arc<KnownWrap> {
        self.told.notify_one();
        let verifier = CpuSP1ProverComponents::wrap_verifier();
        Arc::new(KnownWrap { inner: (self.machines.wrap)(verifier.shard_verifier().clone()) })
    }
}

/// SP1's CPU components with keys on a budget.
pub(crate) struct Components;

impl SP1ProverComponents for Components {
    type CoreProver = sextant_machines::CoreProver;
    type RecursionProver = LazyRecursion;
    type WrapProver = KnownWrap;
    type WrapProverBuilder = WrapOnDemand;
}
