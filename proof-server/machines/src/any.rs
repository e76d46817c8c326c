//! A prover of one machine behind a pointer.
//!
//! SP1's traits name their provers by type, and whoever uses one compiles it, for minutes each. [`AnyProver`] is one type for
//! all of them: what proves is compiled where it was put behind the pointer.

use std::{any::Any, collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use slop_challenger::IopCtx;
use sp1_hypercube::{
    Machine, MachineVerifyingKey, ShardContext, ShardProof,
    prover::{
        AirProver, PcsProof, PreprocessedData, Program, ProverPermit, ProverSemaphore, ProvingKey, Record,
    },
};

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Proof<GC, SC> = ShardProof<GC, PcsProof<GC, SC>>;

/// Any prover of the shards of one machine. Cheap to clone.
pub struct AnyProver<GC: IopCtx, SC: ShardContext<GC>>(Arc<dyn Proves<GC, SC>>);

impl<GC: IopCtx, SC: ShardContext<GC>> Clone for AnyProver<GC, SC> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<GC: IopCtx, SC: ShardContext<GC>> AnyProver<GC, SC> {
    /// Puts `prover` behind the pointer, and compiles it where this is called.
    pub fn new(prover: impl AirProver<GC, SC>) -> Self {
        Self(Arc::new(prover))
    }
}

/// A program's key, as the prover that made it has it.
#[derive(Clone)]
pub struct AnyKey(Arc<dyn Key>);

trait Key: Any + Send + Sync {
    fn table_heights(&self) -> Work<'static, BTreeMap<String, usize>>;
}

struct KeyOf<GC: IopCtx, SC: ShardContext<GC>, P: AirProver<GC, SC>>(Arc<ProvingKey<GC, SC, P>>);

impl<GC: IopCtx, SC: ShardContext<GC>, P: AirProver<GC, SC>> Key for KeyOf<GC, SC, P> {
    fn table_heights(&self) -> Work<'static, BTreeMap<String, usize>> {
        Box::pin(P::preprocessed_table_heights(self.0.clone()))
    }
}

/// [`AirProver`] without its types.
trait Proves<GC: IopCtx, SC: ShardContext<GC>>: Send + Sync {
    fn machine(&self) -> &Machine<GC::F, SC::Air>;

    fn setup(
        &self,
        program: Arc<Program<GC, SC>>,
        vk: Option<MachineVerifyingKey<GC>>,
        permits: ProverSemaphore,
    ) -> Work<'_, (AnyKey, MachineVerifyingKey<GC>, ProverPermit)>;

    fn setup_and_prove(
        &self,
        program: Arc<Program<GC, SC>>,
        record: Record<GC, SC>,
        vk: Option<MachineVerifyingKey<GC>>,
        permits: ProverSemaphore,
    ) -> Work<'_, (MachineVerifyingKey<GC>, Proof<GC, SC>, ProverPermit)>;

    fn prove(
        &self,
        key: AnyKey,
        record: Record<GC, SC>,
        permits: ProverSemaphore,
    ) -> Work<'_, (Proof<GC, SC>, ProverPermit)>;
}

impl<GC: IopCtx, SC: ShardContext<GC>, P: AirProver<GC, SC>> Proves<GC, SC> for P {
    fn machine(&self) -> &Machine<GC::F, SC::Air> {
        AirProver::machine(self)
    }

    fn setup(
        &self,
        program: Arc<Program<GC, SC>>,
        vk: Option<MachineVerifyingKey<GC>>,
        permits: ProverSemaphore,
    ) -> Work<'_, (AnyKey, MachineVerifyingKey<GC>, ProverPermit)> {
        Box::pin(async move {
            let (PreprocessedData { pk, permit }, vk) = self.setup_from_vk(program, vk, permits).await;
            (AnyKey(Arc::new(KeyOf(pk))), vk, permit)
        })
    }

    fn setup_and_prove(
        &self,
        program: Arc<Program<GC, SC>>,
        record: Record<GC, SC>,
        vk: Option<MachineVerifyingKey<GC>>,
        permits: ProverSemaphore,
    ) -> Work<'_, (MachineVerifyingKey<GC>, Proof<GC, SC>, ProverPermit)> {
        Box::pin(self.setup_and_prove_shard(program, record, vk, permits))
    }

    fn prove(
        &self,
        key: AnyKey,
        record: Record<GC, SC>,
        permits: ProverSemaphore,
    ) -> Work<'_, (Proof<GC, SC>, ProverPermit)> {
        let key: &dyn Any = &*key.0;
        let KeyOf(key) = key.downcast_ref::<KeyOf<GC, SC, P>>().expect("a prover is given keys that it made");
        Box::pin(self.prove_shard_with_pk(key.clone(), record, permits))
    }
}

impl<GC: IopCtx, SC: ShardContext<GC>> AirProver<GC, SC> for AnyProver<GC, SC> {
    type PreprocessedData = AnyKey;

    fn machine(&self) -> &Machine<GC::F, SC::Air> {
        self.0.machine()
    }

    async fn setup_from_vk(
        &self,
        program: Arc<Program<GC, SC>>,
        vk: Option<MachineVerifyingKey<GC>>,
        permits: ProverSemaphore,
    ) -> (PreprocessedData<ProvingKey<GC, SC, Self>>, MachineVerifyingKey<GC>) {
        let (key, vk, permit) = self.0.setup(program, vk, permits).await;
        let pk = Arc::new(ProvingKey { vk: vk.clone(), preprocessed_data: key });
        (PreprocessedData { pk, permit }, vk)
    }

    async fn setup_and_prove_shard(
        &self,
        program: Arc<Program<GC, SC>>,
        record: Record<GC, SC>,
        vk: Option<MachineVerifyingKey<GC>>,
        permits: ProverSemaphore,
    ) -> (MachineVerifyingKey<GC>, Proof<GC, SC>, ProverPermit) {
        self.0.setup_and_prove(program, record, vk, permits).await
    }

    async fn prove_shard_with_pk(
        &self,
        pk: Arc<ProvingKey<GC, SC, Self>>,
        record: Record<GC, SC>,
        permits: ProverSemaphore,
    ) -> (Proof<GC, SC>, ProverPermit) {
        self.0.prove(pk.preprocessed_data.clone(), record, permits).await
    }

    async fn preprocessed_table_heights(pk: Arc<ProvingKey<GC, SC, Self>>) -> BTreeMap<String, usize> {
        pk.preprocessed_data.0.table_heights().await
    }
}
