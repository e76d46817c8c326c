//! Verifies the proof in a record, with the native verifier's reasons.
//!
//! Core STARKs and SNARKs are verified by the crates that native code has. Of compressed proofs the native one asks SP1's
//! SDK, which looks at exit code and public values before it has the machine's verifier look at the proof. That SDK does
//! not compile for WebAssembly; SP1's verifier of compressed proofs does, and the checks before it are these.

use std::{borrow::Borrow, cell::OnceCell};

use sextant_consensus::Program;
use sextant_protocol::ProofKind;
use sextant_stark_verifier::StarkError;
use sextant_verifier_rules::{Checked, VerifyError, artifact, decode::decode};
use slop_algebra::{AbstractField, PrimeField32};
use sp1_hypercube::{HashableKey, MachineVerifierError, PROOF_MAX_NUM_PVS, SP1VerifyingKey};
use sp1_primitives::SP1Field;
use sp1_recursion_executor::RecursionPublicValues;
use sp1_verifier::{
    SP1Proof, VerifierRecursionVks, blake3_hash,
    compressed::{CompressedError, SP1CompressedVerifier},
    sha256_hash,
};

/// Why a STARK does not hold, in the words of SP1's SDK.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("Invalid public values")]
    PublicValues,
    #[error("Unexpected exit code: {0}")]
    ExitCode(u32),
    #[error("Recursion verification error: {0}")]
    Recursion(String),
    #[error(transparent)]
    Core(#[from] StarkError),
}

type Verdict = Result<(), VerifyError<EngineError>>;

/// Verifies the proof of a record whose words have been checked.
pub fn verify(checked: Checked<'_>) -> Verdict {
    let Checked { program, record, .. } = checked;
    if matches!(record.kind, ProofKind::Groth16 | ProofKind::Bundled) {
        return checked.verify_snark();
    }
    let verdict = match (record.kind, decode(&record.proof)?) {
        (ProofKind::Stark, SP1Proof::Core(shards)) => {
            sextant_stark_verifier::verify(&shards, &record.public_values, &key(program)).map_err(EngineError::from)
        }
        (ProofKind::Compressed, SP1Proof::Compressed(proof)) => {
            compressed(&proof, &record.public_values, &key(program))
        }
        _ => return Err(VerifyError::OtherKind { claimed: record.kind }),
    };
    verdict.map_err(VerifyError::Rejected)
}

fn key(program: Program) -> SP1VerifyingKey {
    bincode::deserialize(artifact(program).verifying_key).expect("the embedded verifying key decodes")
}

type Compressed =
    sp1_hypercube::SP1RecursionProof<sp1_primitives::SP1GlobalContext, sp1_hypercube::SP1PcsProofInner>;

fn compressed(proof: &Compressed, committed: &[u8], key: &SP1VerifyingKey) -> Result<(), EngineError> {
    thread_local! {
        static VERIFIER: OnceCell<SP1CompressedVerifier> = const { OnceCell::new() };
    }
    if proof.proof.public_values.len() != PROOF_MAX_NUM_PVS {
        return Err(EngineError::PublicValues);
    }
    let values: &RecursionPublicValues<SP1Field> = proof.proof.public_values.as_slice().borrow();
    if values.exit_code != SP1Field::zero() {
        return Err(EngineError::ExitCode(values.exit_code.as_canonical_u32()));
    }
    let digest: Vec<u8> =
        values.committed_value_digest.iter().flatten().map(|byte| byte.as_canonical_u32() as u8).collect();
    if digest != sha256_hash(committed) && digest != blake3_hash(committed) {
        return Err(EngineError::PublicValues);
    }
    let verified = VERIFIER.with(|verifier| {
        verifier.get_or_init(SP1CompressedVerifier::new).verify_compressed(proof, &key.hash_koalabear())
    });
    verified.map_err(|error| EngineError::Recursion(said_by_the_sdk(error, values)))
}

/// The SDK looks at the root of the recursion keys before it looks for the key under it, and has other words for both.
fn said_by_the_sdk(error: CompressedError, values: &RecursionPublicValues<SP1Field>) -> String {
    match error {
        CompressedError::InvalidVkey(_)
        | CompressedError::ProofRejected(MachineVerifierError::InvalidPublicValues(
            "vk merkle root mismatch",
        )) => {
            let known = values.vk_root == VerifierRecursionVks::default().root();
            type Words = sp1_hypercube::MachineVerifierConfigError<
                sp1_primitives::SP1GlobalContext,
                sp1_hypercube::SP1InnerPcs,
            >;
            let words: Words = if known {
                MachineVerifierError::InvalidVerificationKey
            } else {
                MachineVerifierError::InvalidPublicValues("vk_root mismatch")
            };
            words.to_string()
        }
        CompressedError::ProofRejected(error) => error.to_string(),
        other => other.to_string(),
    }
}
