//! The core prover: program keys, and shard proofs.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use sp1_core_executor::{ExecutionRecord, Program};
use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::{
    MachineVerifier, SP1PcsProofInner, ShardProof,
    prover::{AirProver, CoreProofShape, CpuShardProver, ProverSemaphore, ProvingKey, shape_from_record},
};
use sp1_primitives::{SP1Field, SP1GlobalContext};
use sp1_prover::{CoreSC, CpuSP1ProverComponents, SP1ProverComponents};
use tokio::sync::Mutex;

/// A proof of one shard.
pub(crate) type CoreShardProof = ShardProof<SP1GlobalContext, SP1PcsProofInner>;
/// A program's proving key.
pub(crate) type CoreKey = ProvingKey<SP1GlobalContext, CoreSC, CpuCore>;
type CpuCore = <CpuSP1ProverComponents as SP1ProverComponents>::CoreProver;

/// Programs whose keys are kept. A worker proves two.
const KEPT_PROGRAMS: usize = 4;

/// SP1's CPU core prover. It remembers program keys, which SP1's node makes twice for every proof.
pub(crate) struct CoreProver {
    prover: CpuCore,
    verifier: MachineVerifier<SP1GlobalContext, CoreSC>,
    keys: Mutex<Vec<(u64, Arc<CoreKey>)>>,
    permits: ProverSemaphore,
}

impl CoreProver {
    pub(crate) fn new(parallel_shards: usize) -> Self {
        let verifier = CpuSP1ProverComponents::core_verifier(RiscvAir::machine());
        Self {
            prover: CpuShardProver::new(verifier.shard_verifier().clone()),
            verifier,
            keys: Mutex::default(),
            permits: ProverSemaphore::new(parallel_shards),
        }
    }

    /// The key of `program`, made on first need.
    pub(crate) async fn key(&self, program: &Arc<Program>) -> Arc<CoreKey> {
        let fingerprint = fingerprint(program);
        // Held during set-up on purpose: whoever asks meanwhile most likely wants the same key.
        let mut keys = self.keys.lock().await;
        if let Some((_, key)) = keys.iter().find(|(known, _)| *known == fingerprint) {
            return key.clone();
        }
        let (data, _) = self.prover.setup(program.clone(), self.permits.clone()).await;
        if keys.len() == KEPT_PROGRAMS {
            keys.remove(0);
        }
        keys.push((fingerprint, data.pk.clone()));
        data.pk
    }

    /// Proves one shard.
    pub(crate) async fn prove(&self, key: Arc<CoreKey>, record: ExecutionRecord) -> CoreShardProof {
        self.prover.prove_shard_with_pk(key, record, self.permits.clone()).await.0
    }

    /// What a proof of `record` will look like; recursion has one program for each shape.
    pub(crate) fn shape(
        &self,
        record: &ExecutionRecord,
    ) -> Option<CoreProofShape<SP1Field, RiscvAir<SP1Field>>> {
        shape_from_record(&self.verifier, record)
    }

    pub(crate) fn verifier(&self) -> &MachineVerifier<SP1GlobalContext, CoreSC> {
        &self.verifier
    }
}

/// Tells programs apart. A collision would make a proof that does not verify, never a wrong one.
fn fingerprint(program: &Program) -> u64 {
    let mut hasher = DefaultHasher::new();
    (program.pc_start_abs, program.pc_base).hash(&mut hasher);
    for instruction in &program.instructions {
        (instruction.opcode as u8, instruction.op_a, instruction.op_b, instruction.op_c).hash(&mut hasher);
        (instruction.imm_b, instruction.imm_c).hash(&mut hasher);
    }
    // The image is a hash map: a sum over its entries does not depend on their order.
    let image = program.memory_image.iter().fold(0_u64, |sum, entry| {
        let mut hasher = DefaultHasher::new();
        entry.hash(&mut hasher);
        sum.wrapping_add(hasher.finish())
    });
    image.hash(&mut hasher);
    hasher.finish()
}
