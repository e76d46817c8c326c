//! The last step of a SNARK: gnark proves in a Groth16 circuit over BN254 that a wrapped proof verifies.
//!
//! SP1 brings gnark as a Go library. It ends the process where something is wrong, and needs some 14 GB: whoever calls
//! this lives in a process that may die, and has let go of the wrapping engine before.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use sp1_prover::build::{
    build_constraints_and_witness, build_groth16_bn254_contracts, get_vk_root, install_circuit_artifacts,
};
use sp1_recursion_gnark_ffi::{GnarkWitness, Groth16Bn254Prover};

use crate::{EngineError, Wrapped};

/// What a folder of circuits must hold for proving.
const CIRCUIT_FILES: [&str; 3] = ["groth16_circuit.bin", "groth16_pk.bin", "groth16_vk.bin"];

/// SP1's verifier contract.
const CONTRACT: &str = "SP1VerifierGroth16.sol";

/// Writes the circuit's constraints, and `wrapped` as some witness of it, under the names that SP1's Go code reads.
///
/// # Errors
/// [`EngineError::Prover`] with the reason.
pub fn write_circuit(wrapped: &Wrapped, folder: &Path) -> Result<(), EngineError> {
    let write = || -> anyhow::Result<()> {
        let (constraints, witness) = build_constraints_and_witness(&wrapped.vk, &wrapped.proof)?;
        fs::write(folder.join("constraints.json"), serde_json::to_vec(&constraints)?)?;
        fs::write(folder.join("groth16_witness.json"), serde_json::to_vec(&GnarkWitness::new(witness))?)?;
        Ok(())
    };
    write().map_err(EngineError::Prover)
}

/// Writes SP1's verifier contract for the circuits in `folder`, whose keys are made. It imports gnark's, which the maker
/// of the keys writes.
///
/// # Errors
/// [`EngineError::Prover`] with the reason.
pub fn write_contract(folder: &Path) -> Result<(), EngineError> {
    let write = || -> anyhow::Result<()> {
        build_groth16_bn254_contracts(folder)?;
        // SP1 6.10 pads a root of 32 bytes with one more, which no compiler takes for a `bytes32`.
        let path = folder.join(CONTRACT);
        let root = get_vk_root();
        let text = fs::read_to_string(&path)?.replace(&format!("0x00{root}"), &format!("0x{root}"));
        Ok(fs::write(path, text)?)
    };
    write().map_err(EngineError::Prover)
}

/// Downloads SP1's released circuits into `folder`, whole or not at all, with a progress bar on standard error.
///
/// # Errors
/// [`EngineError::Prover`] with the reason.
pub async fn download_released_circuits(folder: &Path) -> Result<(), EngineError> {
    install_circuit_artifacts(folder.into(), "groth16").await.map_err(EngineError::Prover)
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
