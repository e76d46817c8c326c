//! A real proof of a run that ended with exit code 1 (`tests/data/README.md`), under the public values of the false
//! statement that the guest refused.

use std::path::Path;

use sextant_artifacts::COMMITTEE_CHANGE;
use sextant_protocol::ProofRecord;
use sextant_verifier::{Verifier, VerifyError};
use sp1_hypercube::MachineProof;
use sp1_prover::{CpuSP1ProverComponents, SP1ProverComponents};
use sp1_sdk::{
    LightProver, Prover, RiscvAir, SP1Proof, SP1ProofWithPublicValues, SP1PublicValues, SP1VerificationError,
    SP1VerifyingKey, StatusCode,
};

fn record() -> ProofRecord {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/failed-run/committee-change.proof");
    ProofRecord::from_file_bytes(&std::fs::read(file).expect("a file")).expect("a proof file")
}

fn pinned_key() -> SP1VerifyingKey {
    bincode::deserialize(COMMITTEE_CHANGE.verifying_key).expect("a key")
}

fn proof(record: &ProofRecord) -> SP1Proof {
    bincode::deserialize(&record.proof).expect("a proof of SP1")
}

#[test]
fn a_run_that_failed_is_refused_for_its_exit_code() {
    let verifier = Verifier::new();
    let error = verifier.verify(&record()).expect_err("a false statement");
    assert!(
        matches!(error, VerifyError::Rejected(SP1VerificationError::UnexpectedExitCode(1))),
        "refused for another reason: {error}"
    );
    assert!(error.to_string().contains("exit code: 1"), "{error}");
}

/// What the guest committed before it refused is nothing, and nothing is no statement.
#[test]
fn it_has_no_public_values_of_its_own() {
    let honest = ProofRecord { public_values: Vec::new(), ..record() };
    let error = Verifier::new().verify(&honest).expect_err("no statement");
    assert!(matches!(error, VerifyError::PublicValues(_)), "{error}");
}

/// So that the tests above cannot pass for another reason: it is a proof by the pinned program, whole and sound.
#[test]
fn all_but_the_exit_code_of_it_is_good() {
    let record = record();
    let SP1Proof::Core(shard_proofs) = proof(&record) else { panic!("not a core proof") };
    let core = CpuSP1ProverComponents::core_verifier(RiscvAir::machine());
    core.verify(&pinned_key().vk, &MachineProof { shard_proofs }).expect("every shard holds");
}

/// Whatever exit code is asked for, SP1 as it is built here takes 0 alone: in what is asked for, and once more where the
/// shards are verified.
#[tokio::test]
async fn sp1_s_verifier_refuses_it_whatever_exit_code_is_asked_for() {
    let record = record();
    let prover = LightProver::new().await;
    for asked in [StatusCode::PANIC, StatusCode::ANY] {
        for public_values in [&record.public_values[..], &[]] {
            let bundle = SP1ProofWithPublicValues::new(
                proof(&record),
                SP1PublicValues::from(public_values),
                record.circuit_version.clone(),
            );
            let error = prover.verify(&bundle, &pinned_key(), Some(asked)).expect_err("a run that failed");
            assert!(matches!(error, SP1VerificationError::UnexpectedExitCode(1)), "{error}");
        }
    }
    let error = prover.inner().verify(&pinned_key(), &proof(&record)).expect_err("a run that failed");
    assert!(error.to_string().contains("non-zero exit codes"), "{error}");
}
