//! The last step of a SNARK: gnark proves in a Groth16 circuit over BN254 that a wrapped proof verifies.
//!
//! SP1 brings gnark as a Go library. It ends the process where something is wrong, and needs some 14 GB: whoever calls
//! this lives in a process that may die, and has let go of the wrapping engine before.

use std::path::Path;

use anyhow::{Context, ensure};
use sp1_prover::build::{build_constraints_and_witness, build_groth16_bn254_artifacts};
use sp1_recursion_gnark_ffi::Groth16Bn254Prover;

use crate::{EngineError, Wrapped};

/// What a folder of circuits must hold for proving.
const CIRCUIT_FILES: [&str; 3] = ["groth16_circuit.bin", "groth16_pk.bin", "groth16_vk.bin"];

/// Builds development circuits into `folder`: the constraints, keys of a set-up of one, and the verifier contract. Such
/// keys prove nothing to anybody else: whoever made them can forge. Blocking, for a long time.
///
/// # Errors
/// [`EngineError::Prover`] with the reason.
pub fn build_development_circuits(wrapped: &Wrapped, folder: &Path) -> Result<(), EngineError> {
    build_groth16_bn254_artifacts(&wrapped.vk, &wrapped.proof, folder).map_err(EngineError::Prover)
}

/// Proves `wrapped` with the circuits in `folder`: the bytes that a verifier contract takes. Blocking.
///
/// # Errors
/// [`EngineError::Prover`] with the reason.
pub fn prove(wrapped: &Wrapped, folder: &Path) -> Result<Vec<u8>, EngineError> {
    prove_checked(wrapped, folder).map_err(EngineError::Prover)
}

fn prove_checked(wrapped: &Wrapped, folder: &Path) -> anyhow::Result<Vec<u8>> {
    for file in CIRCUIT_FILES {
        ensure!(folder.join(file).is_file(), "{} has no {file}", folder.display());
    }
    let (_, witness) =
        build_constraints_and_witness(&wrapped.vk, &wrapped.proof).context("the circuit's witness")?;
    let proof = Groth16Bn254Prover::new().prove(witness, folder);
    let encoded = hex::decode(&proof.encoded_proof).context("gnark's proof")?;
    Ok([&proof.groth16_vkey_hash[..4], &encoded].concat())
}
