//! Records what no server makes, a proof of a run that failed: `failed-run OUT` (`tests/data/failed-run`).
//!
//! The committee-change guest is given handovers of which the first names a committee that its header's state does not.
//! It refuses and ends with exit code 1, and that is proven, under the public values that the false statement would have
//! had. [`sextant_engine::Engine`] proves no such run; SP1's test prover, which is driven here, asks for no exit code.

use std::sync::Arc;

use sextant_artifacts::{CIRCUIT_VERSION, COMMITTEE_CHANGE};
use sextant_consensus::{Program, check_with_hints, public_values::Statement};
use sextant_fixtures::broken;
use sextant_protocol::{ProofKind, ProofRecord, proof::Circuits};
use sp1_core_executor::{SP1Context, SP1CoreOpts};
use sp1_core_machine::{io::SP1Stdin, riscv::RiscvAir, utils::prove_core};
use sp1_hypercube::prover::SimpleProver;
use sp1_prover::{CpuSP1ProverComponents, SP1ProverComponents};
use sp1_verifier::SP1Proof;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args().nth(1).ok_or("usage: failed-run OUT")?;
    let case = broken::cases().into_iter().find(|case| case.name == "poisoned next committee");
    let case = case.ok_or("the case is gone")?;
    let (claimed, hints) = check_with_hints(Program::CommitteeChange, &case.base.ok_or("no base")?)?;
    let Statement::CommitteeChange(mut claimed) = claimed else { return Err("another statement".into()) };
    // The edit of the case.
    claimed.learned[0].committee_root[31] ^= 1;

    let core = CpuSP1ProverComponents::core_verifier(RiscvAir::machine());
    let shards = core.shard_verifier().clone();
    let prover = SimpleProver::new(shards.clone(), (sextant_machines::OURS.core)(shards));
    let program = Arc::new(sp1_core_executor::Program::from(COMMITTEE_CHANGE.elf)?);
    let (key, _) = prover.setup(program.clone()).await;
    let mut stdin = SP1Stdin::new();
    stdin.write_slice(&case.input);
    stdin.write_slice(&hints);
    // As the engine's, for a machine of ordinary size.
    let opts = SP1CoreOpts {
        minimal_trace_chunk_threshold: 1 << 22,
        trace_chunk_slots: 2,
        shard_size: 1 << 21,
        ..SP1CoreOpts::default()
    };
    let (proof, cycles) =
        prove_core(&prover, key.pk.clone(), program, stdin, opts, SP1Context::default()).await?;
    println!("{cycles} cycles, {} shards", proof.shard_proofs.len());
    let record = ProofRecord {
        program: Program::CommitteeChange.tag(),
        kind: ProofKind::Stark,
        circuits: Circuits::Release,
        circuit_version: CIRCUIT_VERSION.into(),
        vk_hash: COMMITTEE_CHANGE.vk_hash,
        public_values: Statement::CommitteeChange(claimed).abi_encode(),
        proof: bincode::serialize(&SP1Proof::Core(proof.shard_proofs))?,
    };
    std::fs::write(out, record.to_file_bytes())?;
    Ok(())
}
