//! The core prover: program keys, and shard proofs.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use sextant_machines::Machines;
use sp1_core_executor::{ExecutionRecord, Program};
use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::{
    MachineVerifier, SP1PcsProofInner, ShardProof,
    prover::{AirProver, ProverSemaphore, ProvingKey},
};
use sp1_primitives::SP1GlobalContext;
use sp1_prover::{CoreSC, CpuSP1ProverComponents, SP1ProverComponents};
use tokio::sync::Mutex;

/// A proof of one shard.
pub(crate) type CoreShardProof = ShardProof<SP1GlobalContext, SP1PcsProofInner>;
/// A program's proving key.
pub(crate) type CoreKey = ProvingKey<SP1GlobalContext, CoreSC, sextant_machines::CoreProver>;

/// Programs whose keys are kept. A worker proves two.
const KEPT_PROGRAMS: usize = 4;

/// A core prover. It remembers program keys, which SP1's node makes twice for every proof.
pub(crate) struct CoreProver {
    prover: sextant_machines::CoreProver,
    verifier: MachineVerifier<SP1GlobalContext, CoreSC>,
    keys: Mutex<Vec<(u64, Arc<CoreKey>)>>,
    permits: ProverSemaphore,
}

impl CoreProver {
    pub(crate) fn new(machines: &Machines, parallel_shards: usize) -> Self {
        let verifier = CpuSP1ProverComponents::core_verifier(RiscvAir::machine());
        Self {
            prover: (machines.core)(verifier.shard_verifier().clone()),
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

#[cfg(test)]
mod tests {
    use sextant_consensus::check_with_hints;
    use sextant_machines::OURS;
    use sextant_released::RELEASED;

    use super::*;
    use crate::{
        EngineSettings, PlannedRun, plan,
        records::{self, Places, Wanted},
    };

    /// Shards of a run of the recorded inclusion: RISC-V with memory, and Keccak by itself.
    async fn shards() -> (Arc<Program>, Vec<ExecutionRecord>) {
        let mut statements = sextant_fixtures::statements().into_iter();
        let (_, program, input) =
            statements.find(|(name, ..)| *name == "mainnet-deneb-one-contract-one-slot").unwrap();
        let (_, hints) = check_with_hints(program, &input).unwrap();
        let (elf, inputs) = (sextant_artifacts::INCLUSION.elf, vec![input, hints]);
        let settings = EngineSettings::for_machine(24 << 30, sextant_protocol::ProofKind::Stark);
        let plan = plan(elf, &inputs, &settings).unwrap();
        let run = PlannedRun::new(elf, inputs, plan).unwrap();
        let (places, running) = (Places::new(8), run.clone());
        let generated = tokio::task::spawn_blocking(move || {
            let mut records = Vec::new();
            records::generate(&running, &settings, Wanted::All, &places, |shard| {
                records.push(shard.record);
                true
            })
            .map(|()| records)
        });
        (run.program, generated.await.unwrap().unwrap())
    }

    /// Proofs of work are found by whichever thread is first, and the proof that follows depends on which: only one
    /// thread makes the same one twice. How many there are is the process's choice, so the comparison has its own.
    #[test]
    fn proofs_are_those_of_the_released_prover_byte_for_byte() {
        const ALONE: &str = "RAYON_NUM_THREADS";
        if std::env::var(ALONE).as_deref() == Ok("1") {
            return tokio::runtime::Runtime::new().unwrap().block_on(compare());
        }
        let this = "core::tests::proofs_are_those_of_the_released_prover_byte_for_byte";
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let output = alone.args(["--exact", this, "--nocapture"]).env(ALONE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    async fn compare() {
        let (program, records) = shards().await;
        assert_eq!(records.len(), 2);
        let (ours, released) = (CoreProver::new(&OURS, 1), CoreProver::new(&RELEASED, 1));
        let (our_key, key) = (ours.key(&program).await, released.key(&program).await);
        assert_eq!(bincode::serialize(&key.vk).unwrap(), bincode::serialize(&our_key.vk).unwrap());
        for record in records {
            let expected = released.prove(key.clone(), record.clone()).await;
            let proof = ours.prove(our_key.clone(), record).await;
            assert!(bincode::serialize(&proof).unwrap() == bincode::serialize(&expected).unwrap());
        }
    }
}
